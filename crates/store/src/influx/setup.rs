//! Provisioning: organisation, buckets, retention. Running it again changes nothing.
//!
//! The `influxdb2` crate looks up and makes buckets. What it cannot do (choose the first token of a
//! new server, make an organisation, change a bucket's retention) goes through our own client. Its
//! TLS stack is out of support, so this speaks http only.

use std::time::Duration;

use influxdb2::api::buckets::ListBucketsRequest;
use influxdb2::api::organization::ListOrganizationRequest;
use influxdb2::models::{PostBucketRequest, RetentionRule, bucket::Bucket, retention_rule};
use rand::RngExt as _;
use reqwest::Method;
use serde_json::json;
use steward_config::{InfluxSettings, Secret};

use super::InfluxError;
use super::client::{InfluxClient, Timeouts, base_url, beginning, safe_name, unreachable};

/// Time for one request of the crate, which sets none.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// The administrator of a new server.
const USER: &str = "steward";
/// Letters and digits of a made-up password.
const PASSWORD_CHARS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
const PASSWORD_LENGTH: usize = 24;

/// What provisioning has done.
#[derive(Clone, Debug, Default)]
pub struct SetupReport {
    /// What was made or changed, in sentences; empty where all was there.
    pub changes: Vec<String>,
    /// The password of the user `steward` of a server that was new; it is shown once.
    pub password: Option<Secret>,
}

/// Makes organisation and buckets with their retention, as `[influx]` names them. A new server
/// is set up with the token of the settings.
pub async fn setup(settings: &InfluxSettings) -> Result<SetupReport, InfluxError> {
    let base = base_url(&settings.url)?;
    if base.scheme() != "http" {
        return Err(InfluxError::SetupNeedsHttp);
    }
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        total: REQUEST_MAX,
    };
    let own = InfluxClient::new(settings, timeouts)?;
    let provisioner =
        influxdb2::Client::new(settings.url.clone(), own.org(), settings.token.expose());
    let mut report = SetupReport::default();
    let is_new = guarded({
        let provisioner = provisioner.clone();
        async move { provisioner.is_onboarding_allowed().await }
    })
    .await?;
    if is_new {
        report.password = Some(begin(&own, settings).await?);
        report.changes.push(format!(
            "set the new server up with the user `{USER}` and the organisation `{}`",
            own.org()
        ));
    }
    let org_id = organisation(&own, &provisioner, &mut report).await?;
    for (bucket, retention) in [
        (&settings.bucket_readings, settings.retention_readings),
        (&settings.bucket_ledger, settings.retention_ledger),
    ] {
        let bucket = safe_name(bucket)?;
        make_bucket(&own, &provisioner, &org_id, bucket, retention, &mut report).await?;
    }
    Ok(report)
}

/// The crate unwraps here and there and sets no time limit: its calls run in a task of their own,
/// whose panic is an error.
async fn guarded<T: Send + 'static>(
    call: impl Future<Output = Result<T, influxdb2::RequestError>> + Send + 'static,
) -> Result<T, InfluxError> {
    let task = tokio::spawn(tokio::time::timeout(REQUEST_MAX, call));
    match task.await {
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(influxdb2::RequestError::Http { status, text }))) => Err(InfluxError::Refused {
            status: status.as_u16(),
            text: text.chars().take(500).collect(),
        }),
        Ok(Ok(Err(error))) => Err(InfluxError::Unreachable(error.to_string())),
        Ok(Err(_)) => Err(InfluxError::Unreachable("it took too long".to_owned())),
        Err(_) => Err(InfluxError::Answer(
            "it is not what InfluxDB 2 says".to_owned(),
        )),
    }
}

async fn call(
    own: &InfluxClient,
    method: Method,
    path: &str,
    body: &serde_json::Value,
) -> Result<(), InfluxError> {
    let request = own.request(method, path, &[]).json(body);
    let response = request.send().await.map_err(|error| unreachable(&error))?;
    if response.status().is_success() {
        return Ok(());
    }
    Err(InfluxError::Refused {
        status: response.status().as_u16(),
        text: beginning(response).await,
    })
}

async fn begin(own: &InfluxClient, settings: &InfluxSettings) -> Result<Secret, InfluxError> {
    let password: String = (0..PASSWORD_LENGTH)
        .map(|_| char::from(PASSWORD_CHARS[rand::rng().random_range(0..PASSWORD_CHARS.len())]))
        .collect();
    let body = json!({
        "username": USER,
        "password": password,
        "org": own.org(),
        "bucket": safe_name(&settings.bucket_readings)?,
        "retentionPeriodSeconds": settings.retention_readings.as_secs(),
        "token": settings.token.expose(),
    });
    call(own, Method::POST, "/api/v2/setup", &body).await?;
    Ok(Secret::new(password))
}

/// The id of the organisation, which is made where it is missing.
async fn organisation(
    own: &InfluxClient,
    provisioner: &influxdb2::Client,
    report: &mut SetupReport,
) -> Result<String, InfluxError> {
    let find = || {
        let provisioner = provisioner.clone();
        let org = own.org().to_owned();
        guarded(async move {
            let mut request = ListOrganizationRequest::new();
            request.org = Some(org);
            provisioner.list_organizations(request).await
        })
    };
    let id_of = |found: influxdb2::models::Organizations| {
        found.orgs.into_iter().find(|org| org.name == own.org())?.id
    };
    let found = match find().await {
        Ok(found) => id_of(found),
        Err(InfluxError::Refused { status: 404, .. }) => None,
        Err(error) => return Err(error),
    };
    if let Some(id) = found {
        return Ok(id);
    }
    call(
        own,
        Method::POST,
        "/api/v2/orgs",
        &json!({"name": own.org()}),
    )
    .await?;
    report
        .changes
        .push(format!("made the organisation `{}`", own.org()));
    let missing = || InfluxError::Answer("the new organisation is not listed".to_owned());
    id_of(find().await?).ok_or_else(missing)
}

async fn make_bucket(
    own: &InfluxClient,
    provisioner: &influxdb2::Client,
    org_id: &str,
    name: String,
    retention: Duration,
    report: &mut SetupReport,
) -> Result<(), InfluxError> {
    let seconds = i32::try_from(retention.as_secs())
        .map_err(|_| InfluxError::Name(format!("{name}: retention of more than 68 years")))?;
    let found = guarded({
        let provisioner = provisioner.clone();
        let request = ListBucketsRequest {
            name: Some(name.clone()),
            org_id: Some(org_id.to_owned()),
            ..ListBucketsRequest::default()
        };
        async move { provisioner.list_buckets(Some(request)).await }
    })
    .await;
    let found: Option<Bucket> = match found {
        Ok(found) => found.buckets.into_iter().find(|bucket| bucket.name == name),
        Err(InfluxError::Refused { status: 404, .. }) => None,
        Err(error) => return Err(error),
    };
    let Some(bucket) = found else {
        let mut request = PostBucketRequest::new(org_id.to_owned(), name.clone());
        if seconds > 0 {
            let kind = retention_rule::Type::Expire;
            request.retention_rules = vec![RetentionRule::new(kind, seconds)];
        }
        let provisioner = provisioner.clone();
        guarded(async move { provisioner.create_bucket(Some(request)).await }).await?;
        report.changes.push(format!("made the bucket `{name}`"));
        return Ok(());
    };
    let kept = bucket
        .retention_rules
        .first()
        .map_or(0, |rule| rule.every_seconds);
    if kept == seconds {
        return Ok(());
    }
    let id = bucket
        .id
        .filter(|id| id.chars().all(|c| c.is_ascii_hexdigit()))
        .ok_or_else(|| InfluxError::Answer(format!("the bucket `{name}` has no id")))?;
    let body = json!({"retentionRules": [{"type": "expire", "everySeconds": seconds}]});
    call(own, Method::PATCH, &format!("/api/v2/buckets/{id}"), &body).await?;
    report
        .changes
        .push(format!("changed the retention of the bucket `{name}`"));
    Ok(())
}
