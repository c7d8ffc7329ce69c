import type { AddressInfo } from 'node:net'
import express from 'express'

// Takes messages and answers them, and does nothing else: what Express alone costs.
const app = express()
app.post('/webhook', express.raw({ type: () => true }), (request, response) => {
  const { message_id: messageId } = JSON.parse(String(request.body))
  response.json({ message_id: messageId })
})
const server = app.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
process.on('disconnect', () => process.exit())
