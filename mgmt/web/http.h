/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTPS server of the management role: one thread, one poll loop of its caller. Owns
 * libmicrohttpd's daemon and the connections; asks the supervisor through the control channel and
 * never waits for it. TLS 1.3 only. Every resource has a bound: connections in all and per address,
 * bytes of a request's head, seconds of a request, questions on the way.
 */
#ifndef SEKISHO_MGMT_WEB_HTTP_H
#define SEKISHO_MGMT_WEB_HTTP_H

#include "appliance/base/clock.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "mgmt/web/secrets.h"

struct http;

#define HTTP_CONNECTIONS 64
#define HTTP_CROWDED 48 /* connections from which on each new one costs a stranger his */
/* of those that no session covers: many people come from one address */
#define HTTP_PER_ADDRESS 8
/* covered by one session or token: a browser opens six, and six more with a token */
#define HTTP_PER_SESSION 12
#define HTTP_COVERED 40 /* ... by all of them; what is left is for whoever is not signed in */
/* libmicrohttpd's memory per connection, the answer's head included */
#define HTTP_HEAD_BYTES 16384
#define HTTP_HEAD_S 10	 /* from connecting, or the last answer, to a whole request head */
#define HTTP_ANSWER_S 60 /* from there to the end of the answer */
/* questions at the supervisor at a time, that of the streams (live.h) among them */
#define HTTP_ASKED 16
/* of them logins, in all and from one address; others wait (crowd_next) */
#define HTTP_LOGINS 6
#define HTTP_LOGINS_EACH 2
#define HTTP_QUEUE_S 10 /* and for so long: a page gives up after 15, the answer included */
#define HTTP_ASK_S 10	/* how long one may take */
/* large bodies of orders at a time, one from each address, all under sessions that are real */
#define HTTP_ORDERS 4
#define HTTP_ORDER_S 75	 /* how long such an order may take, its dry run included */
#define HTTP_REPORT_S 75 /* how long all questions of a report may take */

struct http_counts {
	uint64_t requests, refused, unanswered;
	unsigned connections;
};

/* Borrows the descriptors, the secrets and the event port until http_stop. NULL with *e filled. */
struct http *http_start(int listen_fd, int control_fd, const struct secrets *s, struct event_port *events,
			struct err *e);
int http_poll_fd(const struct http *h); /* readable: call http_run */
/* ... as well: somebody has hung up whom libmicrohttpd does not watch. */
int http_gone_fd(const struct http *h);
/* Likewise: somebody has hung up who waits for the box. */
int http_left_fd(const struct http *h);
/* Does all that can be done now. */
void http_run(struct http *h, struct mono now);
/* Milliseconds until http_run has something to do without a descriptor saying so; -1 = none. */
int http_wait_ms(const struct http *h, struct mono now);
/* An MSG_ANSWER from the supervisor. */
void http_answer(struct http *h, struct msg *m);
/* An MSG_PROGRESS: how far a question is, for the page that asked it and has a stream. */
void http_progress(struct http *h, const struct msg *m);
/* The certificate of the box's own authority, PEM. */
const char *http_authority(const struct http *h);
/* enum mgmt_token. */
uint8_t http_token(const struct http *h);
struct http_counts http_counts(const struct http *h);
void http_stop(struct http *h); /* accepts NULL */

#endif
