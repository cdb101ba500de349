/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTPS server of the management role: one thread, in its caller's poll loop. Owns
 * libmicrohttpd's daemon and the connections. Asks the role control through a channel, without
 * waiting for it. TLS 1.3 only. Every resource has a limit: connections in total and per
 * address, bytes of a request head, seconds of a request, questions in progress.
 */
#ifndef SEKISHO_MGMT_WEB_HTTP_H
#define SEKISHO_MGMT_WEB_HTTP_H

#include "appliance/base/clock.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "mgmt/web/secrets.h"

struct http;

#define HTTP_CONNECTIONS 64
/* connections; above this, each new one ends the connection of a stranger */
#define HTTP_CROWDED 48
/* connections of one address that no session covers: many people may share an address */
#define HTTP_PER_ADDRESS 8
/* connections covered by one session or token: a browser opens six, and six more with a token */
#define HTTP_PER_SESSION 12
/* connections covered by all sessions; the rest is for clients that are not logged in */
#define HTTP_COVERED 40
/* bytes that libmicrohttpd may use per connection, including the head of the answer */
#define HTTP_HEAD_BYTES 16384
/* seconds from the connection, or the last answer, to a complete request head */
#define HTTP_HEAD_S 10
#define HTTP_ANSWER_S 60 /* seconds from the request head to the end of the answer */
/* questions at control at a time, including that of the streams (live.h) */
#define HTTP_ASKED 16
/* logins among these questions, in total and from one address; others wait (crowd_next) */
#define HTTP_LOGINS 6
#define HTTP_LOGINS_EACH 2
/* seconds that a login may wait: a page gives up after 15 s, including the answer */
#define HTTP_QUEUE_S 10
#define HTTP_ASK_S 10 /* seconds that a question may take */
/* large bodies of orders at a time, one per address, only with valid sessions */
#define HTTP_ORDERS 4
#define HTTP_ORDER_S 75	 /* seconds that such an order may take, including its dry run */
#define HTTP_REPORT_S 75 /* seconds that all questions of a report may take together */

struct http_counts {
	uint64_t requests, refused, unanswered;
	unsigned connections;
};

/* Borrows the descriptors, secrets and event port until http_stop. NULL with *e filled. */
struct http *http_start(int listen_fd, int control_fd, const struct secrets *s, struct event_port *events,
			struct err *e);
int http_poll_fd(const struct http *h); /* readable: call http_run */
/* A further descriptor to poll. Readable: a client of a stream, which libmicrohttpd does not watch,
 * has hung up. */
int http_gone_fd(const struct http *h);
/* A further descriptor to poll. Readable: a client that waits for the box has hung up. */
int http_left_fd(const struct http *h);
/* Does everything that can be done now. */
void http_run(struct http *h, struct mono now);
/* Milliseconds until http_run has to be called, even without a readable descriptor; -1 = none. */
int http_wait_ms(const struct http *h, struct mono now);
/* Takes an MSG_ANSWER from control. */
void http_answer(struct http *h, struct msg *m);
/* Takes an MSG_PROGRESS: the progress of a question, for the stream of the page that asked it. */
void http_progress(struct http *h, const struct msg *m);
/* The certificate of the box's own authority, PEM. */
const char *http_authority(const struct http *h);
/* How the box's token was found: enum mgmt_token. */
uint8_t http_token(const struct http *h);
struct http_counts http_counts(const struct http *h);
void http_stop(struct http *h); /* accepts NULL */

#endif
