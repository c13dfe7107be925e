resource "huaweicloud_lts_group" "archiver" {
  group_name  = "iotda-archiver"
  ttl_in_days = var.log_retention_days
}

resource "huaweicloud_lts_stream" "archiver" {
  for_each = local.functions

  group_id    = huaweicloud_lts_group.archiver.id
  stream_name = each.key
}
