# Riposte, in every Region but its home: forwards to the home Region's default bus what its rules need. Needed in
# us-east-1 in any case, since IAM's events come there. The shape of docker/cloudformation/region.yml.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90"
    }
  }
}

variable "environment" {
  type    = string
  default = "prod"
}

variable "home_event_bus_arn" {
  description = "arn:aws:events:HOME-REGION:ACCOUNT:event-bus/default"
  type        = string
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  name      = "riposte-${var.environment}"
  account   = data.aws_caller_identity.here.account_id
  partition = data.aws_partition.here.partition
  region    = data.aws_region.here.name
  rules     = { for rule in jsondecode(file("${path.module}/../exported/event-patterns.json")) : trimprefix(rule.name, "riposte-") => rule }
}

resource "aws_iam_role" "forwarding" {
  name = "${local.name}-forwarding-${local.region}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "forwarding" {
  name = "forward"
  role = aws_iam_role.forwarding.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "events:PutEvents", Resource = var.home_event_bus_arn }]
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                       = "${local.name}-dead-letters"
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 120
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.dead_letters.arn
      Condition = { ArnLike = { "aws:SourceArn" = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${local.name}-*" } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "rule" {
  for_each      = local.rules
  name          = "${local.name}-${each.key}"
  description   = "Delivers to Riposte what its rules need (riposte export event-pattern)"
  state         = each.value.state
  event_pattern = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "rule" {
  for_each  = local.rules
  rule      = aws_cloudwatch_event_rule.rule[each.key].name
  target_id = "riposte"
  arn       = var.home_event_bus_arn
  role_arn  = aws_iam_role.forwarding.arn
  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

output "dead_letters_url" {
  description = "For riposte redrive"
  value       = aws_sqs_queue.dead_letters.id
}
