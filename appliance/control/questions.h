/* SPDX-License-Identifier: Apache-2.0 */
/* Which questions are allowed, and who answers them. */
#ifndef SEKISHO_CONTROL_QUESTIONS_H
#define SEKISHO_CONTROL_QUESTIONS_H

#include <stdbool.h>

#include "appliance/control/asker.h"

struct control;
struct msg;
struct typist;

/* The sender of a question. */
struct peer {
	struct control *s;
	struct asker asker;
	const char *by;	     /* the login behind a question */
	const char *account; /* the account that asks; NULL: root or mgmt asks */
	/* at the control socket: the login whose account gives an order about the draft */
	const struct typist *typist;
};

/* questions.c */
/* Handles a message. False: the message is not allowed, or not from this peer. */
bool peer_said(struct peer *p, struct msg *m);
/* Handles a message of the web side about itself. False: it is another message. */
bool web_said(struct control *s, struct msg *m);
/* The asker does not wait any more: stops all its work that changes nothing. */
void asker_gone(struct control *s, const struct asker *a);

#endif
