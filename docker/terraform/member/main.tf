# Riposte in a member account: the role that it becomes there (settings: aws.role, aws.accounts). The shape of
# docker/cloudformation/member-role.yml, which a StackSet brings to all accounts of an organization.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90"
    }
  }
}

variable "task_role_arn" {
  description = "Output task_role_arn of Riposte's module"
  type        = string
}

variable "role_name" {
  type    = string
  default = "riposte-responder"
}

variable "external_id" {
  description = "aws.external_id of the settings; empty, none"
  type        = string
  default     = ""
}

resource "aws_iam_role" "responder" {
  name = var.role_name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      { Effect = "Allow", Principal = { AWS = var.task_role_arn }, Action = ["sts:AssumeRole", "sts:TagSession"] },
      var.external_id == "" ? {} : { Condition = { StringEquals = { "sts:ExternalId" = var.external_id } } }
    )]
  })
}

resource "aws_iam_role_policy" "respond" {
  name   = "respond"
  role   = aws_iam_role.responder.name
  policy = file("${path.module}/../exported/iam-policy.json")
}

output "role_arn" {
  value = aws_iam_role.responder.arn
}
