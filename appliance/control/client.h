/* SPDX-License-Identifier: Apache-2.0 */
/* Who is connected to the control socket: for the code that reads their questions, and for
 * progress.c, which reports progress to them. */
#ifndef SEKISHO_CONTROL_CLIENT_H
#define SEKISHO_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/logins.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

struct client {
	int fd; /* -1 = free */
	/* number of this connection, so that an answer never goes to a later client */
	uint64_t serial;
	/* the login of the person; for a client other than root, login and account:
	 * "tanaka/suzuki" */
	char by[USER_BY];
	bool waiting; /* a question is being answered; a client may have one at a time */
	/* the supervisor has read an order here; control answers it, and notices the end of the
	 * connection */
	bool handed;
	/* sekisho-notify or sekisho-inform: it may ask for status and events */
	bool listens;
	bool login; /* not root: the right to ask is checked for each question */
	uid_t uid;
	/* uid of the login, also after su or sudo; NO_TYPIST = unknown */
	uint32_t typed;
	uint64_t heard; /* monotonic ns: when the client connected or last asked */
	/* not root: login and account while a question is checked and answered */
	char name[LOGIN_MOST + 1], account[LOGIN_NAME];
	/* that question; valid only while `waiting` */
	struct msg held;
};

#endif
