variable "name" {
  description = "The stack's name, with which the names of its resources begin."
  type        = string
  default     = "offlimits"
}

variable "bucket" {
  description = "A bucket of yours in the same region, for the function's code and the template."
  type        = string
}

variable "function" {
  description = "The zip file of the function with your rules: what `offlimits package` writes, zipped."
  type        = string
}

variable "architecture" {
  description = "What the function was built for, as `offlimits package` says."
  type        = string
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture must be arm64 or x86_64."
  }
}

variable "template" {
  description = "The release's offlimits.template.json."
  type        = string
}

variable "parameters" {
  description = "The stack's parameters, such as { Email = \"you@example.com\" }. Lists are texts with commas."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags for everything in the stack."
  type        = map(string)
  default     = {}
}
