//! The community's `postgrest` client, for code that is written against it.

use http::header::{AUTHORIZATION, HeaderName};

use crate::client::Client;
use crate::error::Error;
use crate::transport::Request;

const ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");

impl Client {
    /// The community's `postgrest` client, wired with this project's address, its key, the schema and the
    /// token as it is now. A token lasts about an hour: ask again before each piece of work.
    ///
    /// What this crate adds ends there: no timeouts, no retries, no renewal, its own errors.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let answer = client.postgrest().await?.from("notes").select("*").execute().await?;
    /// println!("{}", answer.text().await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the session had to be renewed and could not be.
    pub async fn postgrest(&self) -> Result<postgrest::Postgrest, Error> {
        // A header that cannot be sent would make the other client panic.
        let mut request = Request::get("/rest/v1").header(ACCEPT_PROFILE, self.default_schema())?;
        self.authorize(&mut request).await?;
        let client = postgrest::Postgrest::new(format!("{}/rest/v1", self.url()))
            .schema(self.default_schema())
            .insert_header("apikey", self.api_key());
        let bearer = request.headers.get(AUTHORIZATION).and_then(|bearer| bearer.to_str().ok());
        Ok(match bearer {
            Some(bearer) => client.insert_header("authorization", bearer),
            None => client,
        })
    }
}
