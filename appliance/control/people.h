/* SPDX-License-Identifier: Apache-2.0 */
/* The connections to the control socket and to the socket of logins, and all queued answers. */
#ifndef SEKISHO_CONTROL_PEOPLE_H
#define SEKISHO_CONTROL_PEOPLE_H

#include <stdint.h>

#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

struct control;
struct err;

struct client; /* client.h */

#define CLIENTS_ASKING 16u
#define CLIENTS_HANDED 32u /* places for those whose orders the supervisor has read */
#define CLIENTS (CLIENTS_ASKING + CLIENTS_HANDED)
/*
 * Limits for clients that are not root: LOGINS_MOST for all logins together, LOGINS_EACH for one
 * login. So root, and the programs that send alarms, always find room. When there are LOGINS_MOST,
 * one that has asked nothing for LOGIN_IDLE_NS is disconnected for a new one.
 */
#define LOGINS_MOST 6u
#define LOGINS_EACH 3u
#define LOGIN_IDLE_NS (10ull * 1000000000)
#define LOGIN_PACE_NS 60000000ull /* least time between two questions of one connection */
/* least time between two questions of all logins together, and between two of the web side;
 * LOGINS_MOST times this is LOGIN_PACE_NS */
#define LOGINS_PACE_NS 10000000ull

/* A login of the machine, by which the person's account is looked up. */
struct typist {
	uint32_t uid;		/* NO_TYPIST of who.h: unknown */
	char login[LOGIN_NAME]; /* "" = there is no login with that uid */
};

/* people.c */
int people_open(struct control *s, struct err *e);
void people_accept(struct control *s);
/* Accepts logins of the group that are not root. They have a socket of their own, so that they
 * cannot fill the queue for root. */
void people_accept_logins(struct control *s);
/* Monotonic ns: when a connection that waits for its turn is read again; UINT64_MAX = never. */
uint64_t people_next(const struct control *s);
/* The descriptor of client number `at` below CLIENTS; -1 = no client, or it must not be
 * read now. */
int people_client(const struct control *s, unsigned at);
/* the events for poll(2); 0: only the end of the connection */
short people_events(const struct control *s, unsigned at);
void people_readable(struct control *s, unsigned at);
/* Takes over the channel to a new process of the web side. */
void people_web(struct control *s, int fd);
/* Takes the connection of a person whose order the supervisor has read. */
void people_handed(struct control *s, struct msg *m);
/* The channel to the web side is readable, or closed. */
void people_web_readable(struct control *s);
/* Monotonic ns: until then its messages are not read; 0 = read always. */
uint64_t people_web_from(const struct control *s);
/* To be called once a turn: sends all queued answers. */
void people_answer(struct control *s, uint64_t now);

#endif
