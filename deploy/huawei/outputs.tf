output "bucket" {
  description = "The archive."
  value       = huaweicloud_obs_bucket.archive.bucket
}

output "functions" {
  description = "The functions' names, for a test event of the console."
  value       = [for function in huaweicloud_fgs_function.archiver : function.name]
}
