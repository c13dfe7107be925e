# What each function may do, by an agency of its own. A role of project services (XA) has IoTDA and SMN, one of global
# services (AX) has OBS. OBS names objects by their keys; keys are made up for each task, so folders have to do.
locals {
  # IoTDA knows no resources for these. discover creates exports where batch tasks request them.
  iotda_actions = {
    archive      = ["iotda:exporttasks:queryList", "iotda:exporttasks:query", "iotda:exporttasks:delete"]
    discover     = concat(["iotda:exporttasks:queryList"], var.forward_batch_tasks ? ["iotda:exporttasks:create"] : [])
    retain       = []
    expire       = ["iotda:exporttasks:queryList"]
    inventory    = ["iotda:exporttasks:queryList"]
    report       = ["iotda:exporttasks:queryList"]
    exportEvents = []
  }

  readable = {
    archive      = ["archive.json", "exports/*", "records/*", "dead-letters/*", "runs/*", "holds/*", "state/*", "queue/*"]
    discover     = ["archive.json", "exports/*", "records/*", "holds/*", "requests/*", "state/*", "queue/*"]
    retain       = ["archive.json", "exports/*", "catalogue/*", "records/*", "retention/*", "state/*"]
    expire       = ["archive.json", "exports/*", "catalogue/*", "records/*", "holds/*", "retention/*", "state/*"]
    inventory    = ["archive.json", "exports/*", "records/*", "holds/*", "catalogue/*", "verification/*", "state/*", "queue/*"]
    report       = ["archive.json", "catalogue/*", "expected/*", "notifications/*", "records/*", "reports/*", "runs/*", "state/*", "queue/*"]
    exportEvents = ["archive.json", "records/*/archived*.json", "requests/*", "state/preflight.json", "state/preflight-missing.json", "state/store.json", "queue/*"]
  }

  writable = {
    archive      = ["archive.json", "exports/*", "records/*/archived*.json", "records/*/deleted*.json", "records/*/dead-letter*.json", "dead-letters/*", "runs/*", "state/pacing.json", "queue/*"]
    discover     = ["archive.json", "requests/*", "state/discovered.json", "queue/messages/*"]
    retain       = ["records/*/retained*.json"]
    expire       = ["records/*/expired*.json", "records/*/deleted*.json"]
    inventory    = ["catalogue/*", "verification/*", "state/inventory/*", "queue/messages/*"]
    report       = ["notifications/*", "reports/*"]
    exportEvents = ["requests/*", "queue/messages/*", "queue/dead-letters/*"]
  }

  # Each function asks the store what it can, before it begins.
  writable_by_all = ["state/preflight.json", "state/store.json"]

  # A message is removed once its task is done. Copies are removed by expire, and by nothing else. Besides its own writes,
  # inventory ends uploads that nobody goes on with.
  further = {
    archive = [{ actions = ["obs:object:DeleteObject"], keys = ["queue/*"] }]
    retain = [
      { actions = ["obs:object:GetObjectTagging"], keys = ["exports/*", "state/preflight.json"] },
      { actions = ["obs:object:PutObjectTagging"], keys = ["exports/*"] },
    ]
    expire = [
      { actions = ["obs:object:GetObjectTagging"], keys = ["exports/*", "state/preflight.json"] },
      { actions = ["obs:object:DeleteObject", "obs:object:DeleteObjectVersion"], keys = ["exports/*"] },
    ]
    inventory = [{ actions = ["obs:object:AbortMultipartUpload"], keys = ["exports/*"] }]
  }

  bucket_actions = ["obs:bucket:HeadBucket", "obs:bucket:ListBucket", "obs:bucket:ListBucketMultipartUploads", "obs:bucket:ListBucketVersions"]
  objects        = "OBS:*:*:object:${var.bucket}"
}

resource "huaweicloud_identity_role" "project" {
  for_each = local.functions

  name        = "iotda-archiver-${each.key}-project"
  description = "What the ${each.key} function may do in IoTDA, and that its failures may be told"
  type        = "XA"
  policy = jsonencode({
    Version = "1.1"
    Statement = [
      { Effect = "Allow", Action = concat(local.iotda_actions[each.key], ["smn:topic:publish"]) },
    ]
  })
}

resource "huaweicloud_identity_role" "store" {
  for_each = local.functions

  name        = "iotda-archiver-${each.key}-store"
  description = "What the ${each.key} function may do in the archive's bucket"
  type        = "AX"
  policy = jsonencode({
    Version = "1.1"
    Statement = concat(
      [
        { Effect = "Allow", Action = local.bucket_actions, Resource = ["OBS:*:*:bucket:${var.bucket}"] },
        { Effect = "Allow", Action = ["obs:object:GetObject", "obs:object:GetObjectVersion"], Resource = [for key in local.readable[each.key] : "${local.objects}/${key}"] },
        {
          Effect   = "Allow"
          Action   = ["obs:object:PutObject", "obs:object:AbortMultipartUpload", "obs:object:ListMultipartUploadParts"]
          Resource = [for key in concat(local.writable[each.key], local.writable_by_all) : "${local.objects}/${key}"]
        },
      ],
      [for grant in lookup(local.further, each.key, []) : { Effect = "Allow", Action = grant.actions, Resource = [for key in grant.keys : "${local.objects}/${key}"] }],
    )
  })
}

resource "huaweicloud_identity_agency" "function" {
  for_each = local.functions

  name                  = "iotda-archiver-${each.key}"
  description           = "The ${each.key} function of the IoTDA archiver"
  delegated_domain_name = "op_svc_cff"
  domain_roles          = [huaweicloud_identity_role.store[each.key].name]

  project_role {
    project = var.region
    roles   = [huaweicloud_identity_role.project[each.key].name]
  }
}
