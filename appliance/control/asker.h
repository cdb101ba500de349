/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, at the control socket or over the web, and how an answer finds the way back. */
#ifndef SEKISHO_CONTROL_ASKER_H
#define SEKISHO_CONTROL_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/msg.h"

struct control; /* control.h */

struct asker {
	enum {
		ASKER_NONE,
		ASKER_CLIENT,
		ASKER_MGMT,
		ASKER_CHANGE, /* an order about the draft, or the box, of which somebody else has still to say something */
		ASKER_RECORDS,	   /* an order of records.c */
		ASKER_LOGIN,	   /* a client of whom accounts is asked who it is */
		ASKER_BACKUP,	   /* backup.c */
		ASKER_SHOW,	   /* show.c */
		ASKER_ENDS,	   /* near_end.c */
		ASKER_CERTIFICATE, /* certificates.c */
	} kind;
	uint32_t client;
	uint64_t serial; /* of that client's connection: an answer never reaches a successor */
	uint32_t id;	 /* request id */
	bool login;	 /* of a client: it is no root's */
	bool web;	 /* of an order: it came over the web */
	bool tell;	 /* he wants to hear how far it is (progress.c) */
};

/* One question of one asker. */
bool asker_is(const struct asker *a, const struct asker *b);

/* answer.c: on its way until the loop carries it out */
/* Takes the reference. */
void respond_json(struct control *s, struct asker a, int status, json_t *j);
void respond_fd(struct control *s, struct asker a, int status, int fd); /* fd stays the caller's */
/* The web side is gone, and its successor gives its questions the same numbers: it hears nothing of these. */
void answer_forget_web(struct control *s);

/* progress.c: to whoever wants to hear it. A word that finds no room is left out, and the next one says more. */
void progress_to(struct control *s, const struct asker *a, const struct msg_progress *said);
void progress_stage_to(struct control *s, const struct asker *a, enum progress_stage stage);

#endif
