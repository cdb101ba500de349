/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, at the control socket or through a role, and how an answer finds the way back. */
#ifndef SEKISHO_SUPERVISE_CONTROL_H
#define SEKISHO_SUPERVISE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */
struct slot;	   /* roles.h */

#define CLIENTS 16u
/*
 * Of them, for logins that are no root: all together and each. So root, and those who tell alarms, find room whatever members of that group do; and who
 * has been silent so long makes room for another of them.
 */
#define LOGINS_MOST 6u
#define LOGINS_EACH 3u
#define LOGIN_IDLE_NS (10ull * 1000000000)
#define LOGIN_PACE_NS 60000000ull /* between two questions of one connection */
#define LOGINS_PACE_NS                                                                                                 \
	10000000ull /* ... and of all of them, as of the web side: each of six has its turn within the time of one */

struct asker {
	enum {
		ASKER_NONE,
		ASKER_CLIENT,
		ASKER_MGMT,
		ASKER_CHANGE,
		ASKER_RECORDS,
		ASKER_LOGIN,
		ASKER_BACKUP,
		ASKER_IMPACT
	} kind; /* the last five: an order of change.c, of records.c; a client of whom accounts is asked who it is; backup.c; impact.c, `id` its question */
	uint32_t client;
	uint64_t serial; /* of that client's connection: an answer never reaches a successor */
	uint32_t id;	 /* request id */
	bool login;	 /* of a client: it is no root's */
	bool web;	 /* of an order of change.c: it came over the web */
	bool tell;	 /* he wants to hear how far it is (progress.c) */
};

/* One question of one asker. */
bool asker_is(const struct asker *a, const struct asker *b);

/* dispatch.c. He waits no longer: what only he waits for ends, as far as it changes nothing. */
void asker_gone(struct supervisor *s, const struct asker *a);

struct client; /* of control.c */

/* A login of the machine, whose account is to be asked for. */
struct typist {
	uint32_t uid;		/* NO_TYPIST of who.h: not to be found out */
	char login[LOGIN_NAME]; /* "" = there is none of that number */
};

/* Who said something. */
struct peer {
	struct supervisor *s;
	struct slot *slot; /* of a role; NULL for one at the control socket */
	struct asker asker;
	const char *by;		     /* the login behind a question */
	const char *account;	     /* ... whose account asks; NULL: root asks, or mgmt */
	const struct typist *typist; /* at the control socket: whose order about the draft it is */
};

/* control.c */
int control_open(struct supervisor *s, struct err *e);
void control_accept(struct supervisor *s);
/* Who is no root, but in the group: at a socket of their own, so that a full queue of theirs is not root's. */
void control_open_logins(struct supervisor *s);
void control_accept_logins(struct supervisor *s);
/* Monotonic ns: when a connection that waits for its turn is read again; UINT64_MAX = never. */
uint64_t control_next(const struct supervisor *s);
/* The descriptor of client number `at` below CLIENTS, -1 = none, or not now. */
int control_client(const struct supervisor *s, unsigned at);
void control_readable(struct supervisor *s, unsigned at);
/* Once a turn: every answer that is on its way to whoever waits for it, and what follows from it. */
void control_answer(struct supervisor *s);

/* answer.c: on its way until the loop carries it out */
/* Takes the reference. */
void answer_json(struct supervisor *s, struct asker a, int status, json_t *j);
void answer_fd(struct supervisor *s, struct asker a, int status, int fd); /* fd stays the caller's */
/* The web side is gone, and its successor gives its questions the same numbers: it hears nothing of these. */
void answer_forget_web(struct supervisor *s);
/* The sentence in every language, {"en": ..., "ja": ...}: who asks chooses. */
json_t *json_sentence(enum message m, ...);

/* progress.c: to whoever wants to hear it; from enforce, or of what this process does itself. */
void progress_tell(struct supervisor *s, const struct asker *a, const struct msg_progress *said);
void progress_stage(struct supervisor *s, const struct asker *a, enum progress_stage stage);

/* dispatch.c: what was received is done. False: it may not be said, or not by this one. */
bool peer_said(struct peer *p, struct msg *m);

#endif
