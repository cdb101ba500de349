/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, at the control socket or through a role, and how an answer finds the way back. */
#ifndef SEKISHO_SUPERVISE_CONTROL_H
#define SEKISHO_SUPERVISE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */
struct slot;	   /* roles.h */

#define CLIENTS 16u

struct asker {
	enum {
		ASKER_NONE,
		ASKER_CLIENT,
		ASKER_MGMT,
		ASKER_CHANGE,
		ASKER_RECORDS
	} kind; /* the last two: an order of change.c, of records.c */
	uint32_t client;
	uint64_t serial; /* of that client's connection: an answer never reaches a successor */
	uint32_t id;	 /* request id */
};

struct client; /* of control.c */

/* Who said something. */
struct peer {
	struct supervisor *s;
	struct slot *slot; /* of a role; NULL for one at the control socket */
	struct asker asker;
	const char *by; /* the login behind a question */
};

/* control.c */
int control_open(struct supervisor *s, struct err *e);
void control_accept(struct supervisor *s);
/* The descriptor of client number `at` below CLIENTS, -1 = none. */
int control_client(const struct supervisor *s, unsigned at);
void control_readable(struct supervisor *s, unsigned at);
/* Takes the reference. */
void answer_json(struct supervisor *s, struct asker a, int status, json_t *j);
void answer_fd(struct supervisor *s, struct asker a, int status, int fd); /* fd stays the caller's */

/* dispatch.c: what was received is done. False: it may not be said, or not by this one. */
bool peer_said(struct peer *p, struct msg *m);

#endif
