//! A database's address and whether the database lets us in.

use std::net::IpAddr;

use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::config::Host;

use super::findings::Checkup;
use super::project::resolve;
use crate::address::{Address, Encryption};
use crate::database::Database;
use crate::exit::{self, Failure};
use crate::lang::Phrase as P;

/// Where the transaction pooler listens.
const TRANSACTION_POOLER: u16 = 6543;

/// Reads the address, then tries it.
pub(super) async fn look(url: &str, checkup: &mut Checkup) {
    let address = match Address::read(url) {
        Ok(address) => address,
        Err(failure) => return checkup.failure("database.address", exit::REFUSED, &failure),
    };
    let place = address.place();
    let host = address.config.get_hosts().iter().find_map(|host| match host {
        Host::Tcp(host) => Some(host.clone()),
        #[cfg(unix)]
        Host::Unix(_) => None,
    });
    let port = address.config.get_ports().first().copied().unwrap_or(5432);
    let here = host.as_deref().is_none_or(is_here);
    let in_clear = matches!(address.encryption, Encryption::Off | Encryption::IfOffered);
    match in_clear && !here {
        true => checkup.warn(
            "database.in_clear",
            P::DatabaseInClear,
            &[("place", &place)],
            P::DatabaseInClearHelp,
        ),
        false => checkup.ok("database.address", P::DatabaseAddress, &[("place", &place)]),
    }
    if port == TRANSACTION_POOLER {
        checkup.warn("database.pooler", P::DatabasePooler, &[], P::DatabasePoolerHelp);
    }
    if let Some(host) = host.filter(|_| !here) {
        let Some(addresses) = resolve(&host, port, checkup).await else { return };
        if addresses.iter().all(|address| address.is_ipv6()) && host.parse::<IpAddr>().is_err() {
            checkup.warn("database.only_v6", P::DatabaseOnlyV6, &[("host", &host)], P::DatabaseOnlyV6Help);
        }
    }
    match version(url).await {
        Ok(version) => checkup.ok("database.answers", P::DatabaseAnswers, &[("version", &version)]),
        Err(failure) => {
            let code = if failure.code == exit::UNREACHABLE { exit::UNREACHABLE } else { exit::REFUSED };
            checkup.failure(failure.id, code, &failure);
        }
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn version(url: &str) -> Result<String, Failure> {
    let database = Database::connect(url).await?;
    let answer = database.client().simple_query("show server_version").await;
    let rows = answer.map_err(|error| database.failure(error))?;
    let version = rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None, // how the statement ended
    });
    Ok(version.unwrap_or_default().to_owned())
}
