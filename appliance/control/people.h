/* SPDX-License-Identifier: Apache-2.0 */
/* Who is connected to the control socket, and to that of logins; and every answer that is on its way to somebody. */
#ifndef SEKISHO_CONTROL_PEOPLE_H
#define SEKISHO_CONTROL_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/control/asker.h"
#include "appliance/wire/msg.h"

struct control; /* control.h */
struct client;	/* client.h */

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

/* A login of the machine, whose account is to be asked for. */
struct typist {
	uint32_t uid;		/* NO_TYPIST of who.h: not to be found out */
	char login[LOGIN_NAME]; /* "" = there is none of that number */
};

/* Who said something. */
struct peer {
	struct control *s;
	struct asker asker;
	const char *by;		     /* the login behind a question */
	const char *account;	     /* ... whose account asks; NULL: root asks, or mgmt */
	const struct typist *typist; /* at the control socket: whose order about the draft it is */
};

/* people.c */
int people_open(struct control *s, struct err *e);
void people_accept(struct control *s);
/* Who is no root, but in the group: at a socket of their own, so that a full queue of theirs is not root's. */
void people_accept_logins(struct control *s);
/* Monotonic ns: when a connection that waits for its turn is read again; UINT64_MAX = never. */
uint64_t people_next(const struct control *s);
/* The descriptor of client number `at` below CLIENTS, -1 = none, or not now. */
int people_client(const struct control *s, unsigned at);
short people_events(const struct control *s, unsigned at); /* what poll(2) is to look for there; 0: that it ends */
void people_readable(struct control *s, unsigned at);
/* A new process of the web side: its channel, which is ours from now on. */
void people_web(struct control *s, int fd);
/* It has said something, or has ended. */
void people_web_readable(struct control *s);
/* Monotonic ns: until then nothing that it says is read; 0 = always is. */
uint64_t people_web_from(const struct control *s);
/* Once a turn: every answer that is on its way to whoever waits for it, and what follows from it. */
void people_answer(struct control *s);

/* dispatch.c */
/* What was received is done. False: it may not be said, or not by this one. */
bool peer_said(struct peer *p, struct msg *m);
/* What the supervisor, or a role through it, says. */
bool box_said(struct control *s, struct msg *m);
/* What the web side says of itself. False: it is none of that. */
bool web_said(struct control *s, struct msg *m);
/* He waits no longer: what only he waits for ends, as far as it changes nothing. */
void asker_gone(struct control *s, const struct asker *a);

#endif
