/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connected client and the state of its present request. Plain data with its deadlines; http.c
 * acts on them.
 */
#ifndef SEKISHO_MGMT_WEB_CLIENT_H
#define SEKISHO_MGMT_WEB_CLIENT_H

#include <microhttpd.h>
#include <stddef.h>
#include <sys/socket.h>

#include "appliance/base/addr.h"
#include "mgmt/web/api/target.h"
#include "mgmt/web/live.h"
#include "mgmt/web/login.h"
#include "mgmt/web/reply.h"
#include "mgmt/web/report.h"

enum client_state {
	CLIENT_FREE, /* the place is unused */
	CLIENT_IDLE, /* no request, or an incomplete request head */
	CLIENT_HEAD, /* head seen, nothing decided */
	CLIENT_HELD, /* suspended: `reply` goes out at wake_ns */
	/* suspended: a login or challenge that waits, until wake_ns at most, to ask (crowd_next) */
	CLIENT_QUEUED,
	/* suspended: waits, until wake_ns at most, for control's answer to question `id` */
	CLIENT_ASKED,
	CLIENT_READY, /* decided: answer_fd (>= 0) or `reply` is sent */
};

struct client {
	enum client_state state;
	struct MHD_Connection *connection;
	int fd; /* libmicrohttpd's; this module only shuts it down */
	/* time at which the connection is shut down; UINT64_MAX = this was done */
	uint64_t deadline_ns;
	uint64_t wake_ns;
	uint64_t since_ns; /* when it connected */
	bool spoke;	   /* its first request has begun, so its handshake is over */
	bool known;	   /* it has shown the right token */
	/* part of the digest of the session or token that covers the connection; 0 = none: the
	 * connection is counted for its address instead */
	uint64_t covered;
	/* its question changes nothing, so that it can be stopped if the client leaves */
	bool tries;
	uint32_t id;
	/* the number that the page gave its question to get progress reports; 0 = none */
	uint32_t ask;
	/* The meaning of the awaited answer. STAGE_JUDGE_...: who asks, and whether that person
	 * may. STAGE_BODY: whether the session that announces a large body is valid. The others:
	 * the answer to the request itself. */
	enum client_stage {
		STAGE_BOX,
		STAGE_JUDGE_SESSION,
		STAGE_JUDGE_TOKEN,
		STAGE_ME,
		STAGE_LOGIN,
		STAGE_LOGOUT,
		STAGE_CHANGE,
		STAGE_RECORDS,
		STAGE_CHALLENGE,
		STAGE_KEY,
		STAGE_MANAGE,
		STAGE_BODY,
		STAGE_REPORT
	} stage;
	/* for STAGE_JUDGE_...: the route that is asked once accounts has allowed it */
	const struct route *route;
	uint8_t *body; /* owned; NULL = no body is expected */
	size_t n_body, body_room;
	size_t announced; /* length of the body according to the head */
	bool bearer;	  /* the session in this request is valid */
	bool drains;	  /* the body is read and discarded; then `reply` is sent */
	/* the raw request target, for on_request only; NULL = there was none */
	const char *line;
	size_t n_line;
	struct target target;
	enum reply_kind reply;
	int answer_fd; /* owned; -1 = none */
	int answer_status;
	const struct route_form *form; /* conversion of the answer; NULL: JSON */
	struct stream *stream;	       /* its stream, if the answer is one; else NULL */
	struct web_report *report;     /* owned; its report in progress, or NULL */
	struct addr who;
	uint16_t port;
	/* SHA-256 of the client certificate of the connection; zero = none */
	uint8_t shown[32];
	/* name of the account that reads the box's data, as accounts gave it; for the record */
	char reader[USER_BY];
};

/* Converts a socket address; IPv4 mapped in IPv6 becomes IPv4. False for other families. */
bool client_endpoint(const struct sockaddr_storage *from, struct addr *ret, uint16_t *ret_port);
/* Initialises a client with its address; *ret_here: the address by which it reached us. False when
 * the family is not served. */
bool client_init(struct client *k, struct MHD_Connection *c, uint64_t now_ns, uint64_t deadline_ns,
		 struct addr *ret_here);
/* Allocates room for a body of that size. False without memory. */
bool client_expect(struct client *k, size_t n);
/* Wipes and frees the body. */
void client_forget_body(struct client *k);
/* Ends the present request, and closes what it owns. */
void client_done(struct client *k, uint64_t deadline_ns);
/* The value of the only header with this name; NULL when there is none or more than one. */
const char *client_header(const struct client *k, const char *name);
/* Reads the session's secret from the request's cookie. False: it shows no session. */
bool client_session(const struct client *k, uint8_t ret[LOGIN_SECRET]);
bool client_shows_session(const struct client *k);
/* The request's credential: it identifies the stream's owner, and the session that covers the
 * connection. False: there is none of a valid form. */
bool client_credential(const struct client *k, enum credential *ret_what, uint8_t ret[LOGIN_SECRET]);
/* Whether the request comes from our pages, or from a program (login_same_origin). */
bool client_is_our_page(const struct client *k);
/* Whether there is at least one header with this name. */
bool client_has_header(const struct client *k, const char *name);

/*
 * Chooses which client has to leave when there are too many connections, and which one may ask next
 * when there are too many questions. A client without a session ("stranger") pays nothing for a
 * connection, an endless request or a slow reading, so strangers could hold all places for as long
 * as they like. A client that has shown the token, or waits for an answer of the box, never has to
 * leave.
 */

/* The number of connections from this address that no session covers. */
size_t crowd_uncovered(const struct client *all, size_t n, const struct addr *of);
/* `k` has shown a valid session. The session covers `k` if it covers fewer than `each` other
 * connections, and all sessions together cover fewer than `most`. */
void crowd_cover(const struct client *all, size_t n, struct client *k, const uint8_t secret[LOGIN_SECRET],
		 unsigned each, unsigned most);
/* The stranger that has been connected longest from the network that has most connections. NULL
 * when there is no stranger. */
struct client *crowd_victim(struct client *all, size_t n);
/*
 * The next waiting stranger that may ask: at most `most` at a time, and `each` from one host. Hosts
 * with the fewest questions in progress come first, so a host with many clients does not delay
 * others; then the client that has waited longest. NULL: none may.
 */
struct client *crowd_next(struct client *all, size_t n, unsigned most, unsigned each);

#endif
