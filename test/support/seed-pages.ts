/** The requests that the two pages of the hub print, word by word but for the brace that the curl lines forgot. */
export const SEED = {
  stockChange: '{"message":"stock:change","payload":{"sku":"apc-00001","quantity":10}}',
  stockChangeByCurl: '{"message":"stock:change","payload":{"sku":"APC-00001","quantity":10}',
  orderPersist: '{"message":"order:persist","payload":{}}',
  productNew: `{
  "message": "product:new",
  "payload": {
    "id": 1123,
    "name": "Example product",
    "description": "Description",
    "price": "15.99",
    "available_on": "2012-10-17T03:43:57Z",
    "permalink": "ruby-on-rails-tote",
    "meta_description": null,
    "meta_keywords": null
  }
}`,
}
