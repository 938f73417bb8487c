variable "environment" {
  description = "prod, test, staging...; part of all names"
  type        = string
  default     = "prod"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.environment))
    error_message = "A lower-case letter, then at most 15 lower-case letters, digits and dashes."
  }
}

variable "image" {
  description = "The image, by digest (REGISTRY/riposte@sha256:...)"
  type        = string
}

variable "mode" {
  description = "observe, approve or enforce"
  type        = string
  default     = "observe"
  validation {
    condition     = contains(["observe", "approve", "enforce"], var.mode)
    error_message = "One of observe, approve, enforce."
  }
}

variable "domain_name" {
  description = "Public name of the load balancer; EventBridge posts to it. Point it at output load_balancer"
  type        = string
}

variable "delivery" {
  description = "How EventBridge comes in: public, over the internet, or private, through VPC Lattice"
  type        = string
  default     = "public"
  validation {
    condition     = contains(["public", "private"], var.delivery)
    error_message = "One of public, private."
  }
}

variable "certificate_arn" {
  description = "ACM certificate of domain_name in this Region (publicly trusted)"
  type        = string
}

variable "secrets" {
  description = "Full ARN of a Secrets Manager secret, a JSON object with \"events\" and \"admin\", each a random text of 16 to 512 characters without colon"
  type        = string
}

variable "vpc" {
  type = string
}

variable "public_subnets" {
  description = "Two or more, for the load balancer of events; unused when delivery is private"
  type        = list(string)
  default     = []
}

variable "private_subnets" {
  description = "Two or more with a way out (NAT or endpoints), for the task, the journal and the admin port"
  type        = list(string)
}

variable "admin_security_group" {
  description = "Whoever is in it may use the admin port"
  type        = string
}

variable "alarm_topic_arn" {
  description = "SNS topic that alarms go to; empty, none"
  type        = string
  default     = ""
}

variable "architecture" {
  description = "ARM64 or X86_64"
  type        = string
  default     = "ARM64"
}

variable "more_canaries" {
  description = "Output canary of each module in another Region"
  type        = list(string)
  default     = []
}
