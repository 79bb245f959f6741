"""Days of one shop's ordinary work, by seed: about 600 writing calls a day of controllers, pipelines, services and people.

    python3 tests/evidence/operators_day.py OUT [--shop 1] [--day 1] [--days 1] [--date 2026-11-02]

`--shop` chooses the shop: its roles, people, buckets, zones, clusters. `--day` chooses what happens on the first of its days, so
that two days of one shop are `--day 1` and `--day 2`. The records stand in OUT/AWSLogs as CloudTrail delivers them. Nobody
here does anything wrong: each message that a day sends is noise.

    offlimits backtest OUT
"""

import argparse
import datetime
import sys

from cloudtrail import UTC, Role, Source, User, assume_role, record, sign_in, write_lines, write_logs

BOTO = "Boto3/1.35.36 md/Botocore#1.35.36 ua/2.0 os/linux#5.10.226 md/arch#x86_64 lang/python#3.12.6 " \
       "md/pyimpl#CPython exec-env/AWS_Lambda_python3.12 cfg/retry-mode#legacy Botocore/1.35.36"
CLI = "aws-cli/2.18.5 md/awscrt#0.22.0 ua/2.0 os/macos#24.1.0 md/arch#arm64 lang/python#3.12.6 md/pyimpl#CPython " \
      "cfg/retry-mode#standard md/installer#source md/prompt#off md/command#{}"
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 " \
          "Safari/537.36"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.75.0 " \
            "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.32.4 ua/2.1 os/linux lang/go#1.23.1 " \
            "md/GOOS#linux md/GOARCH#amd64 api/{}#1.0.0"
PACKER = "APN/1.0 HashiCorp/1.0 Packer/1.11.2 (+https://www.packer.io/; packer-plugin-amazon/1.3.3) " \
         "aws-sdk-go/1.55.5 (go1.21.13; linux; amd64)"
GO = "aws-sdk-go-v2/1.32.2 ua/2.1 os/linux lang/go#1.22.8 md/GOOS#linux md/GOARCH#amd64 api/{}#1.0.0 {}"
ACCOUNT, TOOLS = "111122223333", "444455556666"


class Shop:
    """What stays the same from day to day."""

    def __init__(self, seed):
        self.seed, source = seed, Source(f"shop {seed}")
        self.region = source.choice(["eu-west-1", "us-east-1", "us-west-2"])
        self.name = source.choice(["heron", "walnut", "lantern", "juniper"])
        self.cluster = f"{self.name}-{source.choice(['prod', 'live'])}"
        issuer = source.hexadecimal(32).upper()
        self.oidc = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.{self.region}.amazonaws.com/id/{issuer}"
        self.github = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
        suffix = source.letters(12, "abcdefghijklmnopqrstuvwxyz0123456789")

        def role(name, path="/"):
            return Role(source, ACCOUNT, name, path)

        self.karpenter = role(f"KarpenterController-{self.cluster}")
        self.autoscaler = role(f"{self.cluster}-cluster-autoscaler")
        self.balancer = role(f"AmazonEKSLoadBalancerControllerRole-{self.cluster}")
        self.dns = role(f"{self.cluster}-external-dns")
        self.certificates = role(f"{self.cluster}-privateca-issuer")
        self.volumes = role(f"AmazonEKS_EBS_CSI_DriverRole-{self.cluster}")
        self.terraform = role("github-terraform-apply")
        self.deploy = role(f"cdk-hnb659fds-deploy-role-{ACCOUNT}-{self.region}")
        self.execute = role(f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{self.region}")
        self.pipeline = Role(source, TOOLS, f"{self.name}-pipeline-CodeBuildRole-{suffix.upper()}")
        self.waf = role(f"waf-blocklist-updater-role-{suffix[:8]}", "/service-role/")
        self.rotation = role(f"secret-rotation-role-{suffix[:8]}", "/service-role/")
        self.packer = role("image-builder-packer")
        self.scaling = role("AWSServiceRoleForAutoScaling", "/aws-service-role/autoscaling.amazonaws.com/")
        self.tasks = role("AWSServiceRoleForApplicationAutoScaling_ECSService",
                          "/aws-service-role/ecs.application-autoscaling.amazonaws.com/")
        self.backup = role("AWSBackupDefaultServiceRole", "/service-role/")
        self.snapshots = role("AWSDataLifecycleManagerDefaultRole", "/service-role/")
        self.patching = role("ssm-maintenance-window")
        sso = f"/aws-reserved/sso.amazonaws.com/{self.region}/"
        self.engineers = role(f"AWSReservedSSO_PowerUserAccess_{source.hexadecimal(16)}", sso)
        self.admins = role(f"AWSReservedSSO_AdministratorAccess_{source.hexadecimal(16)}", sso)
        names = source.sample(["jana", "miguel", "priya", "tomas", "aiko", "bernd", "chidi", "lena", "omar", "ruth"], 10)
        self.users = [User(source, ACCOUNT, name) for name in names[:5]]
        self.people = [f"{name}@example.com" for name in names[5:]]
        self.addresses = [f"203.0.113.{number}" for number in source.sample(range(1, 250), 20)]
        self.nat = f"198.51.100.{source.randrange(1, 250)}"
        self.runners = [f"192.0.2.{number}" for number in source.sample(range(1, 250), 6)]
        self.zone = f"Z{source.letters(18, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')}"
        self.ca = f"arn:aws:acm-pca:{self.region}:{ACCOUNT}:certificate-authority/{source.uuid()}"
        self.ip_set = (source.uuid(), "blocklist")
        self.groups = [f"eks-{self.cluster}-{kind}" for kind in ("system", "batch")]
        self.web_group = f"{self.name}-web"
        self.balancer_group, self.vpc = source.some_id("sg"), source.some_id("vpc")
        self.node_groups = [source.some_id("sg") for _ in range(2)]
        self.subnets = [source.some_id("subnet") for _ in range(3)]
        self.buckets = [f"{self.name}-{kind}-{suffix[:6]}" for kind in ("assets", "uploads", "reports")]
        self.functions = [f"{self.name}-{kind}" for kind in ("orders", "invoices", "mailer")]
        self.machines = [source.some_id("i") for _ in range(6)]


class Day:
    """One day of a shop."""

    def __init__(self, shop, seed, date):
        self.shop, self.random, self.date, self.records = shop, Source(f"shop {shop.seed} day {seed}"), date, []

    def at(self, hour, minute=0, second=None):
        second = self.random.randrange(60) if second is None else second
        return datetime.datetime.combine(self.date, datetime.time(tzinfo=UTC)) \
            + datetime.timedelta(hours=hour, minutes=minute, seconds=second)

    def some_time(self, begin=0.0, end=24.0):
        return self.at(self.random.uniform(begin, end - 0.02))

    def add(self, time, identity, service, event, request=None, response=None, **more):
        more.setdefault("region", self.shop.region)
        self.records.append(record(self.random, time, identity, service, event, request, response, **more))

    # --- Kubernetes ---

    def pod(self, role, time):
        """A pod's session: its SDK renews it every hour, and chooses a name."""
        began = time.replace(minute=0, second=7)
        key = Source(f"{role.arn} {began}").key()
        return role.session(str(int(began.timestamp())) + "000000000", key, began, web=self.shop.oidc)

    def karpenter(self):
        shop, some = self.shop, self.random
        agent = GO.format("ec2", "karpenter.sh-1.0.6")
        for number in range(some.randrange(12, 15)):
            time = self.some_time()
            types = some.sample(["m6i.large", "m6a.large", "c6i.xlarge", "r6i.large", "m7g.xlarge"], 3)
            template = f"karpenter.k8s.aws/{some.randrange(10**18, 10**19)}"
            machine = some.some_id("i")
            who = self.pod(shop.karpenter, time)
            self.add(time, who, "ec2", "CreateLaunchTemplate",
                     {"CreateLaunchTemplateRequest": {"LaunchTemplateName": template, "LaunchTemplateData": {
                         "ImageId": "ami-0123456789abcdef0", "UserData": "<sensitiveDataRemoved>",
                         "MetadataOptions": {"HttpTokens": "required"}}}},
                     {"CreateLaunchTemplateResponse": {"launchTemplate": {
                         "launchTemplateId": some.some_id("lt"), "launchTemplateName": template}}},
                     address=shop.nat, agent=agent)
            time += datetime.timedelta(seconds=2)
            self.add(time, who, "ec2", "CreateFleet",
                     {"CreateFleetRequest": {"Type": "instant", "TargetCapacitySpecification": {
                         "DefaultTargetCapacityType": some.choice(["spot", "on-demand"]), "TotalTargetCapacity": 1},
                         "LaunchTemplateConfigs": {"LaunchTemplateSpecification": {"LaunchTemplateName": template,
                                                                                   "Version": "$Latest"},
                                                   "Overrides": [{"InstanceType": kind, "tag": place, "SubnetId": subnet}
                                                                 for place, (kind, subnet) in
                                                                 enumerate(zip(types, shop.subnets), 1)], "tag": 1}}},
                     {"CreateFleetResponse": {"fleetId": f"fleet-{some.uuid()}", "fleetInstanceSet": {"item": {
                         "instanceType": types[0], "instanceIds": {"item": machine}}}}},
                     address=shop.nat, agent=agent)
            self.add(time, shop.karpenter.session(who["principalId"].split(":")[1], "", time,
                                                  invoked_by="ec2fleet.amazonaws.com"), "ec2", "RunInstances",
                     {"instanceType": types[0], "instancesSet": {"items": [{"minCount": 1, "maxCount": 1}]}},
                     {"instancesSet": {"items": [{"instanceId": machine, "instanceType": types[0]}]}},
                     address="ec2fleet.amazonaws.com", agent="ec2fleet.amazonaws.com")
            if number % 3:
                gone = time + datetime.timedelta(minutes=some.randrange(5, 40))
                self.add(gone, self.pod(shop.karpenter, gone), "ec2", "TerminateInstances",
                         {"instancesSet": {"items": [{"instanceId": machine}]}},
                         {"instancesSet": {"items": [{"instanceId": machine, "currentState": {
                             "code": 32, "name": "shutting-down"}, "previousState": {"code": 16, "name": "running"}}]}},
                         address=shop.nat, agent=agent)
            if number % 4 == 0:
                gone = time + datetime.timedelta(minutes=45)
                self.add(gone, self.pod(shop.karpenter, gone), "ec2", "DeleteLaunchTemplate",
                         {"DeleteLaunchTemplateRequest": {"LaunchTemplateName": template}},
                         {"DeleteLaunchTemplateResponse": {}}, address=shop.nat, agent=agent)

    def cluster_autoscaler(self):
        shop, some = self.shop, self.random
        agent = "aws-sdk-go/1.48.7 (go1.22.2; linux; amd64) cluster-autoscaler/v1.30.1"
        for _ in range(some.randrange(6, 10)):
            time = self.some_time()
            if some.random() < 0.5:
                self.add(time, self.pod(shop.autoscaler, time), "autoscaling", "SetDesiredCapacity",
                         {"autoScalingGroupName": some.choice(shop.groups), "desiredCapacity": some.randrange(3, 9),
                          "honorCooldown": False}, address=shop.nat, agent=agent)
            else:
                self.add(time, self.pod(shop.autoscaler, time), "autoscaling", "TerminateInstanceInAutoScalingGroup",
                         {"instanceId": some.some_id("i"), "shouldDecrementDesiredCapacity": True},
                         {"activity": {"activityId": some.uuid(), "statusCode": "InProgress"}}, address=shop.nat, agent=agent)

    def load_balancers(self):
        shop, some = self.shop, self.random
        agent = "elbv2.k8s.aws/v2.9.2 aws-sdk-go/1.55.5 (go1.22.7; linux; amd64)"
        for number in range(some.randrange(10, 13)):
            time = self.some_time()
            port = some.choice([8080, 8443, 9090])
            permission = {"items": [{"ipProtocol": "tcp", "fromPort": port, "toPort": port, "groups": {"items": [
                {"groupId": shop.balancer_group, "description": "elbv2.k8s.aws/targetGroupBinding=shared"}]},
                "ipRanges": {}, "ipv6Ranges": {}, "prefixListIds": {}}]}
            group = some.choice(shop.node_groups)
            for event, wait in (("AuthorizeSecurityGroupIngress", 0), ("RevokeSecurityGroupIngress", 3)):
                when = time + datetime.timedelta(minutes=wait)
                answer = {"requestId": some.uuid(), "_return": True}
                if wait == 0:
                    answer["securityGroupRuleSet"] = {"items": [{
                        "groupOwnerId": ACCOUNT, "groupId": group, "securityGroupRuleId": some.some_id("sgr"),
                        "isEgress": False, "ipProtocol": "tcp", "fromPort": port, "toPort": port,
                        "referencedGroupInfo": {"groupId": shop.balancer_group, "userId": ACCOUNT}}]}
                self.add(when, self.pod(shop.balancer, when), "ec2", event,
                         {"groupId": group, "ipPermissions": permission}, answer, address=shop.nat, agent=agent)
            target = f"arn:aws:elasticloadbalancing:{shop.region}:{ACCOUNT}:targetgroup/k8s-shop-{number % 4}/{some.hexadecimal(16)}"
            self.add(time, self.pod(shop.balancer, time), "elasticloadbalancing",
                     some.choice(["RegisterTargets", "DeregisterTargets"]),
                     {"targetGroupArn": target, "targets": [{"id": "10.0.11.7", "port": port}]}, address=shop.nat, agent=agent)
        for _ in range(2):
            time = self.some_time(8, 18)
            self.add(time, self.pod(shop.balancer, time), "elasticloadbalancing", "CreateRule",
                     {"listenerArn": f"arn:aws:elasticloadbalancing:{shop.region}:{ACCOUNT}:listener/app/k8s-shop/1/2",
                      "priority": some.randrange(1, 90),
                      "conditions": [{"field": "host-header", "hostHeaderConfig": {"values": ["shop.example.com"]}}]},
                     {"rules": [{"isDefault": False}]}, address=shop.nat, agent=agent)

    def external_dns(self):
        agent = GO.format("route53", "ExternalDNS/v0.15.0")
        for _ in range(self.random.randrange(44, 50)):
            time = self.some_time()
            name = f"{self.random.choice(['api', 'shop', 'cdn', 'pay'])}-{self.random.hexadecimal(4)}.example.com"
            self.change_record(time, self.pod(self.shop.dns, time), name, "A", agent)

    def change_record(self, time, who, name, kind, agent):
        self.add(time, who, "route53", "ChangeResourceRecordSets",
                 {"hostedZoneId": self.shop.zone, "changeBatch": {"changes": [{
                     "action": self.random.choice(["UPSERT", "CREATE", "DELETE"]),
                     "resourceRecordSet": {"name": name, "type": kind, "tTL": 300,
                                           "resourceRecords": [{"value": "192.0.2.44"}]}}]}},
                 {"changeInfo": {"id": f"/change/C{self.random.letters(14)}", "status": "PENDING",
                                 "submittedAt": time.strftime("%b %d, %Y %I:%M:%S %p")}},
                 address=self.shop.nat, agent=agent, apiVersion="2013-04-01")

    def cert_manager(self):
        shop, some = self.shop, self.random
        agent = GO.format("acmpca", "aws-privateca-issuer/v1.4.0")
        for number in range(some.randrange(22, 26)):
            time = self.some_time()
            self.add(time, self.pod(shop.certificates, time), "acm-pca", "IssueCertificate",
                     {"certificateAuthorityArn": shop.ca, "csr": {"hb": [], "offset": 0, "isReadOnly": False},
                      "signingAlgorithm": "SHA256WITHRSA", "idempotencyToken": "awspca",
                      "templateArn": "arn:aws:acm-pca:::template/EndEntityServerAuthCertificate/V1",
                      "validity": {"type": "ABSOLUTE", "value": int(time.timestamp()) + 90 * 86400}},
                     {"certificateArn": f"{shop.ca}/certificate/{some.hexadecimal(32)}"}, address=shop.nat, agent=agent)
            if number % 6 == 0:
                self.change_record(time, self.pod(shop.dns, time), "_acme-challenge.shop.example.com", "TXT",
                                   "cert-manager-challenges/v1.15.3 (linux/amd64) cert-manager/2ddd1b7 aws-sdk-go-v2/1.30.3")

    def volumes(self):
        shop, some = self.shop, self.random
        agent = GO.format("ec2", "exec-env/EKS ebs.csi.aws.com/v1.36.0")
        for _ in range(some.randrange(3, 6)):
            time = self.some_time()
            volume, machine = some.some_id("vol"), some.some_id("i")
            for event, request, answer, wait in (
                ("CreateVolume", {"size": "20", "zone": f"{shop.region}a", "volumeType": "gp3", "encrypted": True},
                 {"volumeId": volume, "status": "creating", "encrypted": True}, 0),
                ("AttachVolume", {"volumeId": volume, "instanceId": machine, "device": "/dev/xvdaa"},
                 {"volumeId": volume, "instanceId": machine, "status": "attaching"}, 1),
                ("DeleteVolume", {"volumeId": volume}, {"_return": True}, 50),
            ):
                when = time + datetime.timedelta(minutes=wait)
                self.add(when, self.pod(shop.volumes, when), "ec2", event, request, answer, address=shop.nat, agent=agent)

    # --- Pipelines ---

    def terraform(self):
        shop, some = self.shop, self.random
        for hour in sorted(some.sample(range(8, 18), 2)):
            began = self.at(hour, some.randrange(50))
            runner = some.choice(shop.runners)
            who = shop.terraform.session("GitHubActions", some.key(), began, web=shop.github)
            name = f"{shop.name}-{some.choice(['orders', 'search', 'billing', 'stock'])}-{some.hexadecimal(4)}"
            group, table = some.some_id("sg"), some.some_id("rtb")
            policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],' \
                     f'"Resource":"arn:aws:s3:::{shop.buckets[0]}/*"}}]}}'
            trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",' \
                    '"Principal":{"Service":"lambda.amazonaws.com"}}]}'
            inside = {"items": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "groups": {},
                                 "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16"}]}, "ipv6Ranges": {}, "prefixListIds": {}}]}
            bucket_policy = {"Version": "2012-10-17", "Statement": [{
                "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{shop.buckets[0]}", f"arn:aws:s3:::{shop.buckets[0]}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
            calls = [
                ("iam", "CreateRole", {"roleName": name, "path": "/", "assumeRolePolicyDocument": trust},
                 {"role": {"roleName": name, "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "roleId": some.unique()}}),
                ("iam", "PutRolePolicy", {"roleName": name, "policyName": "inline", "policyDocument": policy}, None),
                ("iam", "AttachRolePolicy", {"roleName": name, "policyArn":
                 "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}, None),
                ("iam", "CreatePolicy", {"policyName": f"{name}-read", "policyDocument": policy},
                 {"policy": {"policyName": f"{name}-read", "arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}-read"}}),
                ("ec2", "CreateSecurityGroup", {"groupName": name, "groupDescription": name, "vpcId": shop.vpc},
                 {"requestId": some.uuid(), "_return": True, "groupId": group}),
                ("ec2", "AuthorizeSecurityGroupIngress", {"groupId": group, "ipPermissions": inside},
                 {"requestId": some.uuid(), "_return": True, "securityGroupRuleSet": {"items": [{
                     "groupId": group, "isEgress": False, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
                     "cidrIpv4": "10.0.0.0/16"}]}}),
                ("ec2", "CreateRoute", {"routeTableId": table, "destinationCidrBlock": "10.8.0.0/16",
                                        "transitGatewayId": some.some_id("tgw")}, {"_return": True}),
                ("s3", "PutBucketPolicy", {"bucketName": shop.buckets[0], "Host": f"{shop.buckets[0]}.s3.amazonaws.com",
                                           "policy": "", "bucketPolicy": bucket_policy}, None),
                ("s3", "PutBucketLifecycle", {"bucketName": shop.buckets[1], "lifecycle": "",
                                              "LifecycleConfiguration": {"Rule": {
                                                  "ID": "parts", "Status": "Enabled", "Filter": {"Prefix": ""},
                                                  "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}}}, None),
                ("lambda", "UpdateFunctionCode20150331v2", {"functionName": shop.functions[0], "publish": False,
                                                            "s3Bucket": shop.buckets[2], "s3Key": f"{name}.zip"},
                 {"functionName": shop.functions[0]}),
                ("lambda", "AddPermission20150331v2", {"functionName": shop.functions[0], "statementId": name,
                                                       "action": "lambda:InvokeFunction",
                                                       "principal": "events.amazonaws.com",
                                                       "sourceArn": f"arn:aws:events:{shop.region}:{ACCOUNT}:rule/{name}"},
                 {"statement": "{}"}),
                ("events", "PutRule", {"name": name, "scheduleExpression": "rate(1 hour)", "state": "ENABLED"},
                 {"ruleArn": f"arn:aws:events:{shop.region}:{ACCOUNT}:rule/{name}"}),
                ("events", "PutTargets", {"rule": name, "targets": [{"id": "1", "arn":
                 f"arn:aws:lambda:{shop.region}:{ACCOUNT}:function:{shop.functions[0]}"}]},
                 {"failedEntryCount": 0, "failedEntries": []}),
                ("monitoring", "PutMetricAlarm", {"alarmName": name, "metricName": "Errors", "namespace": "AWS/Lambda",
                                                  "threshold": 1.0}, None),
                ("kms", "CreateKey", {"description": name, "keyUsage": "ENCRYPT_DECRYPT", "origin": "AWS_KMS"},
                 {"keyMetadata": {"keyId": some.uuid(), "description": name, "enabled": True}}),
                ("logs", "DeleteLogGroup", {"logGroupName": f"/aws/lambda/{name}-old"}, None),
                ("monitoring", "DeleteAlarms", {"alarmNames": [f"{name}-old"]}, None),
                ("iam", "DetachRolePolicy", {"roleName": f"{name}-old", "policyArn":
                 "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}, None),
                ("iam", "DeleteRole", {"roleName": f"{name}-old"}, None),
            ]
            for place, (service, event, request, answer) in enumerate(calls):
                self.add(began + datetime.timedelta(seconds=20 + 2 * place), who, service, event, request, answer,
                         address=runner, agent=TERRAFORM.format(service))

    def cdk(self):
        shop, some = self.shop, self.random
        began = self.at(some.randrange(9, 17), some.randrange(40))
        build = shop.pipeline.session(f"AWSCodeBuild-{some.uuid()}", some.key(), began)
        address = some.choice(shop.runners)
        node = "aws-sdk-js/3.632.0 ua/2.0 os/linux#5.10 lang/js#20.17.0 api/{}#3.632.0 aws-cdk/2.160.0"
        assumed, key = assume_role(some, began, build, shop.deploy, "aws-cdk-codebuild-user", address=address,
                                   agent=node.format("sts"), region=shop.region)
        self.records.append(assumed)
        who = shop.deploy.session("aws-cdk-codebuild-user", key, began)
        stack = f"{shop.name.title()}Stack"
        arn = f"arn:aws:cloudformation:{shop.region}:{ACCOUNT}:stack/{stack}/{some.uuid()}"
        change = f"cdk-deploy-change-set-{some.hexadecimal(8)}"
        for place, (event, request) in enumerate((
            ("CreateChangeSet", {"stackName": stack, "changeSetName": change, "changeSetType": "UPDATE",
                                 "roleARN": shop.execute.arn, "capabilities": ["CAPABILITY_NAMED_IAM"]}),
            ("ExecuteChangeSet", {"stackName": arn, "changeSetName": change}),
        )):
            self.add(began + datetime.timedelta(seconds=30 + 20 * place), who, "cloudformation", event, request,
                     {"id": arn} if place == 0 else None, address=address, agent=node.format("cloudformation"))
        inside = shop.execute.session("AWSCloudFormation", "", began, invoked_by="cloudformation.amazonaws.com")
        name = f"{stack}-Worker{some.letters(8)}"
        for place, (service, event, request) in enumerate((
            ("iam", "CreateRole", {"roleName": name, "assumeRolePolicyDocument": "{}"}),
            ("iam", "PutRolePolicy", {"roleName": name, "policyName": "Default", "policyDocument": "{}"}),
            ("lambda", "UpdateFunctionCode20150331v2", {"functionName": shop.functions[1], "publish": True}),
            ("lambda", "UpdateFunctionConfiguration20150331v2", {"functionName": shop.functions[1], "timeout": 30}),
            ("lambda", "AddPermission20150331v2", {"functionName": shop.functions[1], "principal": "sns.amazonaws.com",
                                                   "action": "lambda:InvokeFunction"}),
            ("s3", "PutBucketPolicy", {"bucketName": shop.buckets[1], "bucketPolicy": {"Statement": []}}),
            ("ec2", "AuthorizeSecurityGroupIngress", {"groupId": some.some_id("sg"), "ipPermissions": {"items": []}}),
            ("events", "PutRule", {"name": name, "state": "ENABLED"}),
        )):
            self.add(began + datetime.timedelta(seconds=80 + 3 * place), inside, service, event, request, None,
                     address="cloudformation.amazonaws.com", agent="cloudformation.amazonaws.com")

    def packer(self):
        shop, some = self.shop, self.random
        for hour in sorted(some.sample(range(5, 20), some.randrange(1, 3))):
            began = self.at(hour, some.randrange(30))
            who = shop.packer.session("GitHubActions", some.key(), began, web=shop.github)
            runner, name = some.choice(shop.runners), f"packer_{some.hexadecimal(24)}"
            group, machine, image = some.some_id("sg"), some.some_id("i"), some.some_id("ami")
            machines = {"instancesSet": {"items": [{"instanceId": machine}]}}
            ssh = {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipv6Ranges": {},
                              "ipRanges": {"items": [{"cidrIp": f"{runner}/32"}]}, "prefixListIds": {}}]}
            for minute, event, request, answer in (
                (0, "CreateKeyPair", {"keyName": name, "keyType": "rsa", "keyFormat": "pem"},
                 {"keyName": name, "keyPairId": some.some_id("key"), "keyMaterial": "<sensitiveDataRemoved>"}),
                (0, "CreateSecurityGroup", {"groupName": name, "groupDescription": "Temporary group for Packer",
                                            "vpcId": shop.vpc}, {"_return": True, "groupId": group}),
                (0, "AuthorizeSecurityGroupIngress", {"groupId": group, "ipPermissions": ssh},
                 {"_return": True, "securityGroupRuleSet": {"items": [{
                     "groupId": group, "isEgress": False, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
                     "cidrIpv4": f"{runner}/32"}]}}),
                (1, "RunInstances", {"instancesSet": {"items": [{"imageId": "ami-0fedcba9876543210", "minCount": 1,
                                                                 "maxCount": 1, "keyName": name}]},
                                     "instanceType": "t3.medium"},
                 {"instancesSet": {"items": [{"instanceId": machine, "instanceType": "t3.medium"}]}}),
                (9, "StopInstances", machines, machines),
                (10, "CreateImage", {"instanceId": machine, "name": f"{shop.name}-base-{some.hexadecimal(6)}"},
                 {"imageId": image}),
                (14, "TerminateInstances", machines, machines),
                (15, "DeleteSecurityGroup", {"groupId": group}, {"_return": True}),
                (15, "DeleteKeyPair", {"keyName": name}, {"_return": True}),
                (16, "DeregisterImage", {"imageId": some.some_id("ami")}, {"_return": True}),
            ):
                self.add(began + datetime.timedelta(minutes=minute), who, "ec2", event, request, answer, address=runner,
                         agent=PACKER)

    # --- Services and functions ---

    def waf(self):
        shop, some = self.shop, self.random
        identity, name = shop.ip_set
        offset = some.randrange(60)
        for slot in range(288):
            time = self.at(slot // 12, slot % 12 * 5, offset)
            began = time.replace(hour=time.hour // 6 * 6, minute=0, second=0)
            who = shop.waf.session("waf-blocklist-updater", Source(f"waf {shop.cluster} {began}").key(), began)
            self.add(time, who, "wafv2", "UpdateIPSet",
                     {"name": name, "scope": "REGIONAL", "id": identity, "lockToken": some.uuid(),
                      "addresses": [f"192.0.2.{number}/32" for number in sorted(some.sample(range(1, 250), 3))]},
                     {"nextLockToken": some.uuid()}, address=shop.runners[0], agent=BOTO)

    def scaling(self):
        shop, some = self.shop, self.random
        for _ in range(some.randrange(7, 10)):
            time, machine = self.some_time(), some.some_id("i")
            who = shop.scaling.session("AutoScaling", "", time, invoked_by="autoscaling.amazonaws.com")
            machines = {"instancesSet": {"items": [{"instanceId": machine}]}}
            self.add(time, who, "ec2", "RunInstances",
                     {"instancesSet": {"items": [{"minCount": 1, "maxCount": 1}]},
                      "launchTemplate": {"launchTemplateId": some.some_id("lt"), "version": "7"}},
                     {"instancesSet": {"items": [{"instanceId": machine, "instanceType": "m6i.large"}]}},
                     address="autoscaling.amazonaws.com", agent="autoscaling.amazonaws.com")
            self.add(time + datetime.timedelta(minutes=30), who, "ec2", "TerminateInstances", machines, machines,
                     address="autoscaling.amazonaws.com", agent="autoscaling.amazonaws.com")
        service = "ecs.application-autoscaling.amazonaws.com"
        for _ in range(4):
            time = self.some_time()
            self.add(time, shop.tasks.session("AutoScaling-UpdateDesiredCapacity", "", time, invoked_by=service), "ecs",
                     "UpdateService", {"cluster": shop.name, "service": "web", "desiredCount": some.randrange(2, 9)}, None,
                     address=service, agent=service)

    def backups(self):
        shop, some = self.shop, self.random
        for place, machine in enumerate(shop.machines):
            time = self.at(2, 5 + place)
            who = shop.backup.session(f"AWSBackup-AWSBackupDefaultServiceRole", "", time, invoked_by="backup.amazonaws.com")
            self.add(time, who, "ec2", "CreateImage", {"instanceId": machine, "noReboot": True,
                                                       "name": f"AwsBackup_{machine}_{some.uuid()}"},
                     {"imageId": some.some_id("ami")}, address="backup.amazonaws.com", agent="backup.amazonaws.com")
            if place < 3:
                time = self.at(4, 10 + place)
                who = shop.snapshots.session("EBSSnapshotManagement", "", time, invoked_by="dlm.amazonaws.com")
                for event in ("CreateSnapshot", "DeleteSnapshot"):
                    request = {"volumeId": some.some_id("vol")} if event == "CreateSnapshot" else {
                        "snapshotId": some.some_id("snap")}
                    self.add(time, who, "ec2", event, request, {"_return": True}, address="dlm.amazonaws.com",
                             agent="dlm.amazonaws.com")
        time = self.at(3, some.randrange(60))
        self.add(time, {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}, "kms", "RotateKey", None, None,
                 address="AWS Internal", agent="AWS Internal", eventType="AwsServiceEvent",
                 serviceEventDetails={"keyId": some.uuid()}, account=ACCOUNT)
        for _ in range(2):
            time = self.some_time()
            who = shop.rotation.session("secret-rotation", some.key(), time)
            secret = f"arn:aws:secretsmanager:{shop.region}:{ACCOUNT}:secret:{shop.name}/db-{some.letters(6)}"
            for place, event in enumerate(("PutSecretValue", "UpdateSecretVersionStage")):
                self.add(time + datetime.timedelta(seconds=place), who, "secretsmanager", event,
                         {"secretId": secret, "clientRequestToken": some.uuid()}, {"arn": secret},
                         address=shop.runners[1], agent=BOTO)
        for _ in range(6):
            time, function = self.some_time(), some.choice(shop.functions)
            who = Role(Source(function), ACCOUNT, f"{function}-role").session(function, some.key(), time)
            self.add(time, who, "logs", "CreateLogStream",
                     {"logGroupName": f"/aws/lambda/{function}",
                      "logStreamName": f"{time:%Y/%m/%d}/[$LATEST]{some.hexadecimal(32)}"}, None, address=shop.runners[2],
                     agent="awslambda-worker/1.0  rusoto/0.48.0 rust/1.80.1 linux")

    # --- People ---

    def people(self):
        shop, some = self.shop, self.random
        for place, user in enumerate(shop.users):
            address = shop.addresses[place]
            for number in range(some.randrange(8, 11)):
                time = self.some_time(7, 19)
                self.add(time, user.identity(), "sts", "GetSessionToken",
                         {"serialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/{user.name}", "tokenCode": "******",
                          "durationSeconds": 3600},
                         {"credentials": {"accessKeyId": some.key(), "sessionToken": some.letters(30),
                                          "expiration": iso_after(time)}},
                         address=address, agent=CLI.format("sts.get-session-token"), read_only=True)
        for place, user in enumerate(shop.users[:3]):
            time, address = self.some_time(7, 10), shop.addresses[place]
            signing_in = {"type": "IAMUser", "principalId": user.id, "accountId": ACCOUNT, "accessKeyId": "",
                          "userName": user.name}
            if some.random() < 0.7:
                self.records.append(sign_in(some, time - datetime.timedelta(seconds=20), signing_in, address, BROWSER,
                                            mfa=False, failed=True))
            signed_in = {"type": "IAMUser", "principalId": user.id, "arn": user.arn, "accountId": ACCOUNT,
                         "userName": user.name}
            self.records.append(sign_in(some, time, signed_in, address, BROWSER, mfa=True))
        for place, person in enumerate(shop.people):
            time, address = self.some_time(7, 10), shop.addresses[5 + place]
            signed_in = shop.engineers.session(person, some.key(), time)
            self.records.append(sign_in(some, time, signed_in, address, BROWSER, mfa=False, region=shop.region))
        for _ in range(some.randrange(7, 10)):
            person, machine = some.randrange(3), some.choice(shop.machines)
            time = self.some_time(8, 18)
            who = shop.engineers.session(shop.people[person], some.key(), time)
            session = f"{shop.people[person]}-{some.letters(17, 'abcdefghijklmnopqrstuvwxyz0123456789')}"
            address = shop.addresses[5 + person]
            self.add(time, who, "ssm", "StartSession", {"target": machine},
                     {"sessionId": session, "tokenValue": "Value hidden due to security reasons.",
                      "streamUrl": f"wss://ssmmessages.{shop.region}.amazonaws.com/v1/data-channel/{session}"},
                     address=address, agent=CLI.format("ssm.start-session"))
            self.add(time + datetime.timedelta(minutes=some.randrange(3, 50)), who, "ssm", "TerminateSession",
                     {"sessionId": session}, {"sessionId": session}, address=address, agent=CLI.format("ssm.start-session"))
        # An administrator at the console: services write AWS Internal for what it does for whoever sits there.
        time, key = self.some_time(9, 16), some.key()
        who = shop.admins.session(shop.people[3], key, time, invoked_by="AWS Internal")
        who["sessionContext"]["sessionCredentialFromConsole"] = "true"
        self.add(time, who, "s3", "PutBucketTagging", {"bucketName": shop.buckets[0], "tagging": ""}, None,
                 address="AWS Internal", agent="AWS Internal", sessionCredentialFromConsole="true")
        who = shop.admins.session(shop.people[3], key, time)
        self.add(time + datetime.timedelta(minutes=4), who, "ec2", "CreateTags",
                 {"resourcesSet": {"items": [{"resourceId": shop.machines[0]}]}, "tagSet": {"items": [
                     {"key": "owner", "value": "shop"}]}}, {"_return": True}, address=shop.addresses[8], agent=BROWSER,
                 sessionCredentialFromConsole="true")

    def patching(self):
        shop, some = self.shop, self.random
        time = self.at(1, 30)
        who = shop.patching.session("maintenance", "", time, invoked_by="ssm.amazonaws.com")
        for document in ("AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation"):
            self.add(time, who, "ssm", "SendCommand",
                     {"documentName": document, "targets": [{"key": "tag:patch", "values": ["weekly"]}],
                      "parameters": {"Operation": ["Install"]}, "interactive": False},
                     {"command": {"commandId": some.uuid(), "documentName": document, "status": "Pending"}},
                     address="ssm.amazonaws.com", agent="ssm.amazonaws.com")
        for machine in shop.machines:
            node = Role(Source(machine), ACCOUNT, f"{shop.name}-web-instance")
            when = time + datetime.timedelta(minutes=some.randrange(1, 9))
            self.add(when, node.session(machine, some.key(), when, instance=True), "ssm", "PutComplianceItems",
                     {"resourceId": machine, "resourceType": "ManagedInstance", "complianceType": "Patch"}, None,
                     address=shop.nat, agent="aws-sdk-go/1.55.5 (go1.22.7; linux; amd64) amazon-ssm-agent/3.3.1142.0")

    def all(self):
        for part in (self.karpenter, self.cluster_autoscaler, self.load_balancers, self.external_dns, self.cert_manager,
                     self.volumes, self.terraform, self.cdk, self.packer, self.waf, self.scaling, self.backups,
                     self.people, self.patching):
            part()
        # What runs over midnight belongs to the next day, and that day has its own.
        end = self.at(24, 0, 0).strftime("%Y-%m-%dT%H:%M:%SZ")
        return [one for one in self.records if one["eventTime"] < end]


def iso_after(time):
    return (time + datetime.timedelta(hours=1)).strftime("%b %d, %Y %I:%M:%S %p")


def days(shop, first, count, date):
    """The records of some days, one after the other."""
    shop = Shop(shop)
    return [one for number in range(count)
            for one in Day(shop, first + number, date + datetime.timedelta(days=number)).all()]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", help="the folder to write AWSLogs into, or a file that ends in .jsonl")
    arguments.add_argument("--shop", type=int, default=1, help="the seed of the shop")
    arguments.add_argument("--day", type=int, default=1, help="the seed of its first day; the next days have the next seeds")
    arguments.add_argument("--days", type=int, default=1, help="how many days")
    arguments.add_argument("--date", type=datetime.date.fromisoformat, default=datetime.date(2026, 11, 2),
                           help="the date of the first day")
    options = arguments.parse_args()
    records = days(options.shop, options.day, options.days, options.date)
    (write_lines if options.out.endswith(".jsonl") else write_logs)(options.out, records)
    print(f"{len(records)} records", file=sys.stderr)


if __name__ == "__main__":
    main()
