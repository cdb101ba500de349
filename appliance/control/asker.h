/* SPDX-License-Identifier: Apache-2.0 */
/* The asker of a question, at the control socket or over the web, and how answers are returned. */
#ifndef SEKISHO_CONTROL_ASKER_H
#define SEKISHO_CONTROL_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

struct control; /* control.h */

struct asker {
	enum {
		ASKER_NONE,
		ASKER_CLIENT,
		ASKER_MGMT,
		/* an order about the draft or the box that waits for another process */
		ASKER_CHANGE,
		ASKER_RECORDS,	   /* an order of records.c */
		ASKER_LOGIN,	   /* a client whose account is being looked up by accounts */
		ASKER_BACKUP,	   /* backup.c */
		ASKER_SHOW,	   /* show.c */
		ASKER_ENDS,	   /* near_end.c */
		ASKER_CERTIFICATE, /* certificates.c */
	} kind;
	uint32_t client;
	/* number of the client's connection, so that an answer never goes to a later client */
	uint64_t serial;
	uint32_t id; /* request id */
	bool login;  /* the client is not root */
	bool web;    /* the order came over the web */
	bool tell;   /* the asker wants reports of progress (progress.c) */
};

/* Whether both are the same question of the same asker. */
bool asker_is(const struct asker *a, const struct asker *b);

/* answer.c: the answer is queued until the loop sends it */
/* Takes the reference. */
void respond_json(struct control *s, struct asker a, int status, json_t *j);
void respond_fd(struct control *s, struct asker a, int status, int fd); /* fd stays the caller's */
/* Drops queued answers to the web side, which has died. Its successor uses the same numbers for
 * its questions. */
void answer_forget_web(struct control *s);

/* progress.c: sends a report of progress, if the asker wants it. A report for which the socket has
 * no room is left out. */
void progress_to(struct control *s, const struct asker *a, const struct msg_progress *said);
void progress_stage_to(struct control *s, const struct asker *a, enum progress_stage stage);

#endif
