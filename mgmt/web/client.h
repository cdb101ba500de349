/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connected client and where its present request stands. Plain data with its time limits;
 * http.c acts on them.
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
	CLIENT_IDLE, /* no request, or its head is not whole */
	CLIENT_HEAD, /* head seen, nothing decided */
	CLIENT_HELD, /* suspended: `reply` goes out at wake_ns */
	/* suspended: waits for a place among strangers (crowd_next), until wake_ns */
	CLIENT_QUEUED,
	/* suspended: the supervisor has been asked `id`; wake_ns is when we stop waiting */
	CLIENT_ASKED,
	CLIENT_READY, /* decided: an answer (answer_fd >= 0) or `reply` */
};

struct client {
	enum client_state state;
	struct MHD_Connection *connection;
	int fd;		      /* libmicrohttpd's; only shut down here */
	uint64_t deadline_ns; /* the connection is shut down then; UINT64_MAX = it was */
	uint64_t wake_ns;
	uint64_t since_ns; /* when it connected */
	bool spoke;	   /* its first request began: its handshake is over */
	bool known;	   /* it has shown the token */
	/* by which session or token, of which this is a part of the digest; 0 = it counts with
	 * its address */
	uint64_t covered;
	bool tries; /* what it asks, or orders, changes nothing: it ends when nobody waits for it */
	uint32_t id;
	/* what the page calls its question, which wants to hear how far it is; 0 = it does not */
	uint32_t ask;
	/* What the answer that is waited for is: of the box, of who it is that asks, of a login or
	 * a logout, of an order; what a key is to sign, or what became of a key; of an order about
	 * an account; of whose session it is that a large body is announced by; of the box, for
	 * a report. */
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
	const struct route *route; /* of STAGE_JUDGE_...: what is asked when it is allowed */
	uint8_t *body;		   /* owned; NULL = none is expected */
	size_t n_body, body_room;
	size_t announced; /* bytes of the body, as its head says */
	bool bearer;	  /* of this request: the session that it shows is real */
	bool drains;	  /* its body is read and thrown away; `reply` goes out behind it */
	/* the target where it was read, which nobody but on_request looks at; NULL = none was */
	const char *line;
	size_t n_line;
	struct target target;
	enum reply_kind reply;
	int answer_fd; /* owned; -1 = none */
	int answer_status;
	const struct route_form *form; /* of the answer; NULL: JSON */
	struct stream *stream;	       /* its answer goes on; NULL = it does not */
	struct web_report *report;     /* owned; what is asked for it; NULL = there is none */
	struct addr who;
	uint16_t port;
	/* SHA-256 of the client certificate of the connection; zero = none was shown */
	uint8_t shown[32];
	char reader[USER_BY]; /* who asks for the box's data, as accounts says it; for the record */
};

/* IPv4 inside IPv6 is IPv4. False for another family. */
bool client_endpoint(const struct sockaddr_storage *from, struct addr *ret, uint16_t *ret_port);
/* Fills in who it is, and in *ret_here under which address it found us; false when that is of no
 * family that we serve. */
bool client_init(struct client *k, struct MHD_Connection *c, uint64_t now_ns, uint64_t deadline_ns,
		 struct addr *ret_here);
/* Room for a body of that size. False without memory. */
bool client_expect(struct client *k, size_t n);
/* Nothing of it stays in memory. */
void client_forget_body(struct client *k);
/* Forgets the request, closing what it owns. */
void client_done(struct client *k, uint64_t deadline_ns);
/* Exactly one header of this name: its value. NULL when there is none or more than one. */
const char *client_header(const struct client *k, const char *name);
/* One or more of this name. */
bool client_has_header(const struct client *k, const char *name);

/*
 * Who has to go when places for connections get few, and who comes next where places for questions
 * are. Connecting costs a stranger nothing, nor does a request that never ends or an answer that he
 * does not take, so that strangers could hold every place for as long as they like; who has shown
 * the token, or waits for the box, is never sent away.
 */

/* Of this address's connections, those that no session covers. */
size_t crowd_uncovered(const struct client *all, size_t n, const struct addr *of);
/* `k` has shown a session that is real: it covers `k` when it covers fewer than `each` others, and
 * all sessions together fewer than `most`. */
void crowd_cover(const struct client *all, size_t n, struct client *k, const uint8_t secret[LOGIN_SECRET],
		 unsigned each, unsigned most);
/* Of the network that holds the most places, the stranger that holds one longest. NULL when there
 * is no stranger. */
struct client *crowd_victim(struct client *all, size_t n);
/*
 * Of those who wait to ask as strangers, who does so now: at most `most` at a time and `each` from
 * one host. First whoever's host has the fewest under way, so that who comes from anywhere else
 * goes before however many of one host; then who has waited longest. NULL: nobody may.
 */
struct client *crowd_next(struct client *all, size_t n, unsigned most, unsigned each);

#endif
