import type { Columns } from './columns.ts'
import { quoteName } from './json-sql.ts'

/**
 * What is known of the file of an image `i`, as expressions, and the joins that they need. Where Active Storage keeps the
 * files, name and size stand with the file. Of several files the first counts: `first` has to end the order of a
 * `distinct on` the image.
 */
export function imageFile(columns: Columns) {
  const schema = quoteName(columns.schema)
  const stored = columns.has('active_storage_blobs')
  const either = (ofImage: string, ofFile: string) => (stored ? `coalesce(${ofImage}, ${ofFile})` : ofImage)
  const measured = (side: 'width' | 'height') =>
    either(`i.attachment_${side}`, `substring(f.metadata from '"${side}":\\s*(\\d{1,6})')::integer`)
  return {
    contentType: either('i.attachment_content_type', 'f.content_type'),
    fileName: either('i.attachment_file_name', 'f.filename'),
    updatedAt: either('i.attachment_updated_at', 'f.created_at'),
    width: measured('width'),
    height: measured('height'),
    key: stored ? 'f.key' : 'null',
    joins: stored
      ? `
                       left join ${schema}.active_storage_attachments a
                         on a.record_type in (${IMAGE_RECORDS})
                        and a.record_id = i.id
                        and a.name = 'attachment'
                       left join ${schema}.active_storage_blobs f on f.id = a.blob_id`
      : '',
    first: stored ? ', a.id' : '',
  }
}

/** The names under which Active Storage knows images, as a list in SQL. */
export const IMAGE_RECORDS = `'Spree::Image', 'Spree::Asset', 'Spree::Media'`
