//! Made-up traffic with the shape of the real: who calls, what is called, how large the records are (1.7 KB on average), and
//! how often the same comes again. And rules like people's: tables of services and events, some with conditions on further
//! fields, some with exceptions.

use std::fmt::Write as _;

#[path = "../../tests/support/choices.rs"]
mod choices;

/// A generator of numbers: the same every time.
pub(crate) struct Dice(choices::Choices);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(choices::Choices::new(seed))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound)
    }

    pub(crate) fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// A place in a list of which the first are by far the most frequent, as calls are in real traffic.
    fn popular(&mut self, bound: usize) -> usize {
        (0..4).fold(bound, |place, _| place * self.below(bound) / bound.max(1))
    }

    fn letters(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(*self.pick(alphabet))).collect()
    }

    fn hex(&mut self, count: usize) -> String {
        self.letters(b"0123456789abcdef", count)
    }
}

const SERVICES: [&str; 60] = [
    "sts",
    "kms",
    "s3",
    "ec2",
    "logs",
    "ssm",
    "lambda",
    "iam",
    "monitoring",
    "dynamodb",
    "rds",
    "secretsmanager",
    "ecs",
    "eks",
    "sqs",
    "sns",
    "cloudtrail",
    "config",
    "cloudformation",
    "elasticloadbalancing",
    "autoscaling",
    "route53",
    "cloudfront",
    "acm",
    "apigateway",
    "athena",
    "glue",
    "kinesis",
    "firehose",
    "redshift",
    "elasticache",
    "ecr",
    "codebuild",
    "codepipeline",
    "codecommit",
    "cognito-idp",
    "guardduty",
    "securityhub",
    "inspector2",
    "macie2",
    "organizations",
    "servicecatalog",
    "servicediscovery",
    "states",
    "events",
    "scheduler",
    "backup",
    "batch",
    "wafv2",
    "shield",
    "transfer",
    "workspaces",
    "elasticfilesystem",
    "es",
    "opensearch",
    "sagemaker",
    "bedrock",
    "signin",
    "access-analyzer",
    "ds",
];
const READS: [&str; 4] = ["Describe", "Get", "List", "Lookup"];
const WRITES: [&str; 12] = [
    "Create", "Delete", "Update", "Put", "Attach", "Detach", "Modify", "Start", "Stop", "Enable", "Disable", "Register",
];
const NOUNS: [&str; 64] = [
    "Instances",
    "User",
    "Role",
    "Policy",
    "Bucket",
    "Key",
    "Alias",
    "Function",
    "Stack",
    "Trail",
    "Topic",
    "Queue",
    "Table",
    "Cluster",
    "Snapshot",
    "Volume",
    "Vpc",
    "Subnet",
    "SecurityGroup",
    "NetworkAcl",
    "Route",
    "Gateway",
    "LoadBalancer",
    "TargetGroup",
    "Certificate",
    "Domain",
    "Group",
    "AccessKey",
    "LoginProfile",
    "Secret",
    "Parameter",
    "Document",
    "Association",
    "Rule",
    "Target",
    "Pipeline",
    "Project",
    "Repository",
    "Image",
    "Service",
    "Task",
    "Detector",
    "Filter",
    "Member",
    "Organization",
    "Account",
    "Budget",
    "Flow",
    "LogGroup",
    "LogStream",
    "Metric",
    "Alarm",
    "Dashboard",
    "Endpoint",
    "Connection",
    "Crawler",
    "Database",
    "Workgroup",
    "Stream",
    "Plan",
    "Vault",
    "Session",
    "Identity",
    "Provider",
];
const IDENTITIES: [&str; 16] = [
    "AssumedRole",
    "AssumedRole",
    "AssumedRole",
    "AssumedRole",
    "AssumedRole",
    "AssumedRole",
    "AssumedRole",
    "AssumedRole",
    "AssumedRole",
    "AssumedRole",
    "AWSService",
    "AWSService",
    "AWSService",
    "AWSService",
    "IAMUser",
    "Root",
];
const AGENTS: [&str; 6] = [
    "aws-sdk-go-v2/1.24.0 os/linux lang/go#1.21.5 md/GOOS#linux md/GOARCH#amd64 api/sts#1.26.7",
    "Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux#5.10.205-195.807.amzn2.x86_64 md/arch#x86_64 lang/python#3.11.6",
    "[AWS Service Console]",
    "console.amazonaws.com",
    "APN/1.0 HashiCorp/1.0 Terraform/1.6.6 aws-sdk-go-v2/1.24.0",
    "aws-cli/2.15.10 Python/3.11.6 Linux/5.10.0 exe/x86_64.debian.12 prompt/off command/ec2.describe-instances",
];

/// Records of one file of `{"Records":[…]}`.
pub(crate) fn records(count: usize, seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    (0..count).map(|_| record(&mut dice)).collect()
}

/// Nine calls in ten read; each service has a few calls that make up most of its traffic.
fn call(dice: &mut Dice) -> (&'static str, String, bool) {
    let service = SERVICES[dice.popular(SERVICES.len())];
    let read = dice.below(10) > 0;
    let verb = if read { READS[dice.popular(READS.len())] } else { WRITES[dice.popular(WRITES.len())] };
    let event = format!("{verb}{}", NOUNS[dice.popular(NOUNS.len())]);
    (service, event, read)
}

fn record(dice: &mut Dice) -> String {
    let (service, event, read) = call(dice);
    let identity = *dice.pick(&IDENTITIES);
    let (account, region) =
        (100_000_000_000 + dice.below(8) * 7_654_321, *dice.pick(&["us-east-1", "eu-west-1", "us-west-2"]));
    let role = *dice.pick(&[
        "ci-deploy",
        "terraform",
        "eks-node",
        "AWSReservedSSO_AdministratorAccess_0123456789abcdef",
        "lambda-api-exec",
    ]);
    let upper = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (principal, session) =
        (dice.letters(upper, 17), format!("botocore-session-{}", 1_700_000_000 + dice.below(40_000_000)));
    let who = match identity {
        "AWSService" => format!(r#"{{"type":"AWSService","invokedBy":"{service}.amazonaws.com"}}"#),
        "IAMUser" => format!(
            r#"{{"type":"IAMUser","principalId":"AIDA{principal}","arn":"arn:aws:iam::{account}:user/ana","accountId":"{account}","accessKeyId":"AKIA{}","userName":"ana"}}"#,
            dice.letters(upper, 16)
        ),
        "Root" => format!(
            r#"{{"type":"Root","principalId":"{account}","arn":"arn:aws:iam::{account}:root","accountId":"{account}"}}"#
        ),
        _ => format!(
            r#"{{"type":"AssumedRole","principalId":"AROA{principal}:{session}","arn":"arn:aws:sts::{account}:assumed-role/{role}/{session}","accountId":"{account}","accessKeyId":"ASIA{}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{principal}","arn":"arn:aws:iam::{account}:role/{role}","accountId":"{account}","userName":"{role}"}},"webIdFederationData":{{}},"attributes":{{"creationDate":"2025-03-03T09:14:07Z","mfaAuthenticated":"false"}}}}}}"#,
            dice.letters(upper, 16)
        ),
    };
    let error = if dice.below(22) == 0 {
        format!(
            r#""errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::{account}:assumed-role/{role}/{session} is not authorized to perform: {service}:{event}","#
        )
    } else {
        String::new()
    };
    let mut parameters = String::new();
    for _ in 0..1 + dice.below(6) {
        let name = *dice.pick(&[
            "maxResults",
            "bucketName",
            "instanceId",
            "filterSet",
            "roleName",
            "keyId",
            "encryptionContext",
            "Host",
        ]);
        let value = match dice.below(4) {
            0 => dice.below(1000).to_string(),
            1 => format!(
                r#"{{"items":[{{"name":"vpc-id","valueSet":{{"items":[{{"value":"vpc-{}"}}]}}}}]}}"#,
                dice.hex(17)
            ),
            _ => format!(r#""{}-{}""#, dice.hex(8), dice.hex(17)),
        };
        let _ = write!(
            parameters,
            r#"{}"{name}{}":{value}"#,
            if parameters.is_empty() { "" } else { "," },
            parameters.len()
        );
    }
    let response = if read {
        "null".to_owned()
    } else {
        format!(
            r#"{{"requestId":"{}","items":[{{"id":"i-{}","state":{{"code":16,"name":"running"}}}}]}}"#,
            dice.hex(36),
            dice.hex(17)
        )
    };
    let (id, request) = (dice.hex(36), dice.hex(36));
    format!(
        r#"{{"eventVersion":"1.09","userIdentity":{who},"eventTime":"2025-03-03T09:{:02}:{:02}Z","eventSource":"{service}.amazonaws.com","eventName":"{event}","awsRegion":"{region}","sourceIPAddress":"198.51.{}.{}","userAgent":"{}",{error}"requestParameters":{{{parameters}}},"responseElements":{response},"requestID":"{request}","eventID":"{id}","readOnly":{read},"resources":[{{"accountId":"{account}","type":"AWS::KMS::Key","ARN":"arn:aws:kms:{region}:{account}:key/{request}"}}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.{region}.amazonaws.com"}}}}"#,
        dice.below(60),
        dice.below(60),
        dice.below(100),
        dice.below(256),
        dice.pick(&AGENTS)
    )
}

/// What the first rules are about besides: calls that are made now and then.
const RARE: [(&str, &str); 10] = [
    ("cloudtrail", "DeleteTrail"),
    ("cloudtrail", "StopLogging"),
    ("ec2", "ModifyInstanceAttribute"),
    ("ec2", "ModifySnapshotAttribute"),
    ("iam", "CreateUser"),
    ("iam", "PutRolePolicy"),
    ("lambda", "CreateFunction"),
    ("rds", "DeleteDBInstance"),
    ("s3", "DeleteBucket"),
    ("ssm", "SendCommand"),
];

/// A row's patterns: identity, service, event.
pub(crate) struct Row {
    pub(crate) identity: &'static str,
    pub(crate) service: String,
    pub(crate) events: Vec<String>,
}

/// Rules as the table of the issue has them: what people call off limits is written, and rarely called. Their `rules.json`,
/// and their rows for the rivals. Each rule is of its own suffix, so that however many there are, few match.
pub(crate) fn rules(count: usize) -> (String, Vec<Row>) {
    let mut dice = Dice::new(7);
    let mut rows = Vec::new();
    let mut rules = Vec::new();
    for number in 0..count {
        let mut when = Vec::new();
        for _ in 0..1 + dice.below(3) {
            let service = SERVICES[dice.below(SERVICES.len())];
            let identity = *dice.pick(&["^(IAM).*", "IAMUser", "^Root$", "AssumedRole"]);
            let events: Vec<String> = (0..1 + dice.below(3))
                .map(|_| {
                    let (verb, noun) = (*dice.pick(&WRITES), *dice.pick(&NOUNS));
                    // The more rules there are, the more particular they are.
                    let suffix = if dice.below(40) == 0 { String::new() } else { format!("V{}", number % 997) };
                    match dice.below(20) {
                        0 => format!("^{verb}.*{noun}{suffix}\\\\w+$"),
                        1 => format!("^{verb}({noun}|{noun}s){suffix}"),
                        2..=8 => format!("^({verb}{noun}{suffix}).*"),
                        9..=13 => format!("^{verb}{noun}{suffix}$"),
                        _ => format!("{verb}{noun}{suffix}"),
                    }
                })
                .collect();
            let listed: Vec<String> = events.iter().map(|event| format!("\"{event}\"")).collect();
            let service = format!("^({service}.amazonaws.com).*");
            let more = match dice.below(10) {
                0 => r#","source_ip":{"not":{"cidr":"10.0.0.0/8"}}"#,
                1 => r#","requestParameters.bucketName":"^prod-""#,
                2 => r#","user":{"not":{"is":["svc-jenkins","svc-backup"]}}"#,
                _ => "",
            };
            when.push(format!(
                r#"{{"identity":"{identity}","service":"{service}","event":[{}]{more}}}"#,
                listed.join(",")
            ));
            let events = events.iter().map(|event| event.replace("\\\\", "\\")).collect();
            rows.push(Row { identity, service, events });
        }
        if let Some((service, event)) = RARE.get(number) {
            let (service, event) = (format!("^({service}.amazonaws.com).*"), format!("^({event}).*"));
            when.push(format!(r#"{{"identity":"^(IAM|Assumed).*","service":"{service}","event":"{event}"}}"#));
            rows.push(Row { identity: "^(IAM|Assumed).*", service, events: vec![event] });
        }
        let unless = if number % 5 == 0 {
            r#","unless":[{"when":{"role":{"is":"terraform"},"source_ip":{"cidr":"198.51.100.0/24"}},"reason":"deploys"}]"#
        } else {
            ""
        };
        rules.push(format!(
            r#"{{"id":"RTM-{number}","title":"Unintended AWS API call: {{event}} by {{actor}}","severity":"high","when":[{}]{unless}}}"#,
            when.join(",")
        ));
    }
    (format!(r#"{{"rules":[{}]}}"#, rules.join(",\n")), rows)
}
