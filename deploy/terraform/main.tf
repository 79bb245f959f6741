# A thin module: offlimits as one CloudFormation stack, from a release's plain template and packaged function. It needs no SAM and no compiler.
# The template goes by way of S3, which takes a larger one than a request does.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

locals {
  function_key = "${var.name}/function-${filesha256(var.function)}.zip"
  template_key = "${var.name}/template-${filesha256(var.template)}.json"
}

resource "aws_s3_object" "function" {
  bucket = var.bucket
  key    = local.function_key
  source = var.function
}

resource "aws_s3_object" "template" {
  bucket = var.bucket
  key    = local.template_key
  source = var.template
}

data "aws_s3_bucket" "code" {
  bucket = var.bucket
}

resource "aws_cloudformation_stack" "this" {
  name         = var.name
  template_url = "https://${data.aws_s3_bucket.code.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  capabilities = ["CAPABILITY_IAM"]
  tags         = var.tags
  parameters = merge(var.parameters, {
    Architecture = var.architecture
    CodeBucket   = var.bucket
    CodeKey      = aws_s3_object.function.key
  })
}
