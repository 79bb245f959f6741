//! What runs, and what is run on it.

use super::calls;
use crate::change::entry::Entry;
use crate::change::entry::Part::{Counted, Fact, If, Policies, Request, Response, Special, Switch, Words};
use crate::change::special::{commands, instance_attributes, machines, new_credential, states, user_data};

const PROFILE: &str = "iamInstanceProfile.arn|iamInstanceProfile.name|launchTemplateData.iamInstanceProfile.arn|\
                       launchTemplateData.iamInstanceProfile.name";
const IMAGE: &str = "instancesSet.imageId|imageId|launchTemplateData.imageId|launchSpecification.imageId|\
                     spotFleetRequestConfig.launchSpecifications.imageId";

pub(super) const CALLS: &[Entry] = calls! {
    "ec2" {
        "RunInstances" "RequestSpotInstances" "RequestSpotFleet" "CreateFleet" "CreateLaunchTemplate" "CreateLaunchTemplateVersion" => [
            Special("instances", machines), Special("user data (runs at the start)", user_data), Request("role by profile", PROFILE),
            Request("image", IMAGE), Request("launch template", "launchTemplate.launchTemplateId|launchTemplate.launchTemplateName"),
            Request("key pair", "instancesSet.keyName|keyName|launchTemplateData.keyName"),
            If("networkInterfaceSet.associatePublicIpAddress", "true", "address", "public")
        ];
        "StartInstances" "StopInstances" "TerminateInstances" => [
            Special("state", states), If("force", "true", "stopped", "by force"), If("hibernate", "true", "stopped", "by hibernating")
        ];
        "ModifyInstanceAttribute" => [
            Special("user data (runs at the start), termination protection, instance type, security groups and others", instance_attributes)
        ];
        "ModifyInstanceMetadataOptions" "ModifyInstanceMetadataDefaults" => [
            If("httpTokens", "optional", "instance metadata", "IMDSv1 allowed (whoever reaches it gets the role's keys without a token)"),
            If("httpTokens", "required", "instance metadata", "IMDSv2 only"), Switch("metadata endpoint", "httpEndpoint"),
            Request("hops", "httpPutResponseHopLimit")
        ];
        "AssociateIamInstanceProfile" "ReplaceIamInstanceProfileAssociation" =>
            [Request("role by profile", "iamInstanceProfile.arn|iamInstanceProfile.name"), Request("instance", "instanceId")];
        "EnableSerialConsoleAccess" => [Words("serial consoles of the account", "on")];
        "GetPasswordData" => [Words("what is read", "the Windows administrator's password, encrypted with the key pair")];
        "DescribeInstanceAttribute" => [Request("what is read", "attribute")];
        "CreateKeyPair" "ImportKeyPair" => [Special("new key pair", new_credential), Request("name", "keyName")];
    }
    "autoscaling" {
        "CreateAutoScalingGroup" "UpdateAutoScalingGroup" "CreateLaunchConfiguration" => [
            Special("instances", machines), Special("user data (runs at the start)", user_data), Request("role by profile", "iamInstanceProfile"),
            Request("image", "imageId"),
            Request("launch template", "launchTemplate.launchTemplateName|launchTemplate.launchTemplateId|mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.launchTemplateName"),
            Counted("at most", "maxSize", "machines")
        ];
    }
    "ec2-instance-connect" {
        "SendSSHPublicKey" => [Request("SSH key for the user", "instanceOSUser"), Request("key", "sSHPublicKey")];
        "SendSerialConsoleSSHPublicKey" => [Request("serial port", "serialPort"), Request("key", "sSHPublicKey")];
    }
    "ssm" {
        "SendCommand" => [
            Special("commands", commands), Request("document", "documentName"), Request("on", "instanceIds|targets")
        ];
        "StartSession" => [
            Request("on", "target"), Request("document", "documentName"), Special("parameters", commands), Request("reason", "reason")
        ];
        "ResumeSession" => [Request("session", "sessionId")];
        "CreateDocument" "UpdateDocument" => [
            Request("kind", "documentType"), Request("version", "documentVersion"), Request("content", "content")
        ];
        "UpdateDocumentDefaultVersion" => [Request("default version", "documentVersion")];
        "CreateAssociation" "UpdateAssociation" => [
            Request("document", "name"), Special("commands", commands), Request("on", "instanceId|targets"), Request("when", "scheduleExpression")
        ];
        "GetParameter" "GetParameters" "GetParametersByPath" => [
            Request("parameters read", "name|names|path"), If("withDecryption", "true", "values", "decrypted")
        ];
        "UpdateServiceSetting" => [Request("setting", "settingId"), Request("value", "settingValue")];
    }
    "lambda" {
        "AddPermission" "AddLayerVersionPermission" => [
            Fact("lets in", "lets_in"), Request("for", "action"), Request("from", "sourceArn"), Request("of account", "sourceAccount"),
            Request("of organization", "principalOrgID|organizationId"), Request("sign-in", "functionUrlAuthType")
        ];
        "RemovePermission" => [Request("removed permission", "statementId")];
        "CreateFunctionUrlConfig" "UpdateFunctionUrlConfig" => [
            If("authType", "NONE", "function URL", "open to everybody, without signing in"), If("authType", "AWS_IAM", "function URL", "for signed requests"),
            Response("URL", "functionUrl"), Request("origins", "cors.allowOrigins")
        ];
        "UpdateFunctionCode" => [
            Request("code from bucket", "s3Bucket"), Request("object", "s3Key"), Request("image", "imageUri"),
            Response("digest of the code", "codeSha256"), If("publish", "true", "version", "published")
        ];
        "UpdateFunctionConfiguration" => [
            Response("layers", "layers.arn"), Request("role", "role"), Request("handler", "handler"), Request("runtime", "runtime"),
            Request("environment", "environment.variables|environment"), Request("timeout", "timeout"), Request("memory", "memorySize")
        ];
        "CreateFunction" => [
            Request("role", "role"), Request("runtime", "runtime"), Request("code", "code"), Request("layers", "layers"),
            Request("environment", "environment.variables")
        ];
        "CreateEventSourceMapping" "UpdateEventSourceMapping" => [
            Request("gets events from", "eventSourceArn"), Response("gets events from", "eventSourceArn"), Request("function", "functionName"),
            Switch("mapping", "enabled")
        ];
    }
    "ecs" {
        "RegisterTaskDefinition" => [
            Request("images", "containerDefinitions.image"), Request("commands", "containerDefinitions.command"),
            Request("role", "taskRoleArn"), Request("role that starts it", "executionRoleArn")
        ];
        "RunTask" "CreateService" => [
            Request("task", "taskDefinition"), Counted("as many as", "count|desiredCount", "tasks"), Request("on", "launchType"), Request("cluster", "cluster"),
            Request("overrides", "overrides.containerOverrides")
        ];
        "ExecuteCommand" => [Request("command", "command"), Request("container", "container"), Request("task", "task")];
    }
    "eks" {
        "CreateAccessEntry" "UpdateAccessEntry" => [
            Request("lets in", "principalArn"), Request("groups", "kubernetesGroups"), Request("cluster", "name|clusterName")
        ];
        "AssociateAccessPolicy" => [
            Request("policy", "policyArn"), Request("for", "principalArn"), Request("scope", "accessScope.type"), Request("cluster", "name|clusterName")
        ];
        "UpdateClusterConfig" => [Fact("API of the cluster", "public_access"), Request("networks", "resourcesVpcConfig.publicAccessCidrs"), Request("logging", "logging")];
    }
    "glue" {
        "CreateDevEndpoint" "UpdateDevEndpoint" => [
            Request("role", "roleArn"), Request("key", "publicKey|addPublicKeys"), Request("endpoint", "endpointName")
        ];
        "CreateJob" "UpdateJob" => [Request("role", "role|jobUpdate.role"), Request("script", "command.scriptLocation|jobUpdate.command.scriptLocation"), Request("job", "name|jobName")];
    }
    "cloudformation" {
        "CreateStack" "UpdateStack" "CreateChangeSet" => [
            Request("role", "roleARN"), Request("capabilities", "capabilities"), Request("template", "templateURL"), Request("parameters", "parameters")
        ];
        "CreateStackInstances" => [
            Request("in accounts", "accounts|deploymentTargets.accounts|deploymentTargets.organizationalUnitIds"), Request("in regions", "regions")
        ];
        "SetStackPolicy" => [Policies("stack policy", ""), Request("stack policy from", "stackPolicyURL")];
        "UpdateTerminationProtection" => [Switch("termination protection", "enableTerminationProtection")];
        "DeleteStack" => [Request("kept", "retainResources")];
    }
    "apigateway" {
        "CreateRoute" => [
            If("authorizationType", "NONE", "route", "open to everybody, without signing in"), Request("path", "routeKey"), Request("goes to", "target")
        ];
        "CreateIntegration" "PutIntegration" => [Request("calls", "integrationUri|putIntegrationInput.uri"), Request("role", "credentialsArn|putIntegrationInput.credentials")];
    }
    "lightsail" {
        "CreateInstances" => [Special("instances", machines), Request("names", "instanceNames"), Request("image", "blueprintId")];
        "GetInstanceAccessDetails" => [Words("what is read", "the keys by which to sign in to the machine")];
        "DownloadDefaultKeyPair" => [Words("what is read", "the key pair of all machines in the region")];
    }
};
