/* SPDX-License-Identifier: Apache-2.0 */
/* Who is connected to the control socket: for control.c, which hears them, and progress.c, which tells them how far it is. */
#ifndef SEKISHO_CONTROL_CLIENT_H
#define SEKISHO_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/logins.h"
#include "appliance/wire/msg.h"

struct client {
	int fd;		  /* -1 = free */
	uint64_t serial;  /* of this connection: an answer never reaches a successor */
	char by[USER_BY]; /* the login behind it; of one who is no root, with his account: "tanaka/suzuki" */
	bool waiting;	  /* one question at a time */
	bool handed;	  /* ... which the supervisor reads: here it is only seen that he leaves */
	bool listens;	  /* sekisho-notify or sekisho-inform: it may ask how the box stands and what was recorded */
	bool login;	  /* no root: each of its questions is judged first */
	uid_t uid;
	uint32_t typed; /* who logged in to say it, whatever he became since; NO_TYPIST = not to be found out */
	uint64_t heard; /* monotonic ns: when it came, or asked last */
	char name[LOGIN_MOST + 1], account[LOGIN_NAME]; /* of a login: while its question is judged and answered */
	struct msg held;				/* ... and that question; of no use while it does not wait */
};

#endif
