//! A transport that plays a script: it notes what it is asked and answers what it was told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use supabase_sdk::{Client, ClientBuilder, Reply, Request, Retry, Sending, Transport};

#[derive(Debug, Default)]
pub(crate) struct Script {
    asked: Mutex<Vec<(String, Request)>>,
    answers: Mutex<VecDeque<Reply>>,
}

impl Script {
    /// A client whose server gives these answers, in this order.
    pub(crate) fn client(answers: impl IntoIterator<Item = (u16, &'static str)>) -> (Arc<Self>, Client) {
        let answers = answers.into_iter().map(|(status, body)| Reply {
            status: status.try_into().unwrap(),
            headers: http::HeaderMap::new(),
            body: body.into(),
        });
        let script = Arc::new(Self { answers: Mutex::new(answers.collect()), ..Self::default() });
        let client =
            Client::builder("http://project.test/", "sb_publishable_TEST").transport(script.clone()).build();
        (script, client.unwrap())
    }

    /// A client whose server answers once, and says which part of the rows that is.
    pub(crate) fn ranged(status: u16, body: &'static str, range: &str) -> (Arc<Self>, Client) {
        let (script, client) = Self::client([(status, body)]);
        let mut answers = script.answers.lock().unwrap();
        answers[0].headers.insert(http::header::CONTENT_RANGE, range.parse().unwrap());
        drop(answers);
        (script, client)
    }

    /// A client whose server gives these answers, each with these headers.
    pub(crate) fn answering<'h>(
        answers: impl IntoIterator<Item = (u16, &'static str, &'h [(&'static str, &'static str)])>,
    ) -> (Arc<Self>, Client) {
        let answers: Vec<_> = answers.into_iter().collect();
        let (script, client) = Self::client(answers.iter().map(|(status, body, _)| (*status, *body)));
        for (reply, (.., headers)) in script.answers.lock().unwrap().iter_mut().zip(answers) {
            reply.headers.extend(headers.iter().map(|(name, value)| {
                (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
            }));
        }
        (script, client)
    }

    /// A client whose server answers everything the same.
    pub(crate) fn echo(
        status: u16,
        body: &'static str,
        build: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> (Arc<Self>, Client) {
        let (script, _) = Self::client(std::iter::repeat_n((status, body), 100));
        let builder = Client::builder("http://project.test", "sb_publishable_TEST").retry(Retry::never());
        let client = build(builder.transport(script.clone())).build().unwrap();
        (script, client)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.asked.lock().unwrap().iter().map(|(_, request)| request.clone()).collect()
    }

    /// What was asked so far: method and address with query.
    pub(crate) fn lines(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(address, request)| format!("{} {address}", request.method)).collect()
    }

    /// A header of the last request.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let asked = self.asked.lock().unwrap();
        let values = asked.last()?.1.headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| value.to_str().unwrap().to_owned()).collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// The body of the last request.
    pub(crate) fn body(&self) -> String {
        let asked = self.asked.lock().unwrap();
        String::from_utf8(asked.last().unwrap().1.body.as_bytes().unwrap().to_vec()).unwrap()
    }
}

impl Transport for Script {
    fn send<'a>(&'a self, address: &'a str, request: &'a Request) -> Sending<'a> {
        self.asked.lock().unwrap().push((address.to_owned(), request.clone()));
        let answer = self.answers.lock().unwrap().pop_front().expect("the script has no answer left");
        // Yields once, as a network would, so that callers really overlap.
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(answer)
        })
    }
}
