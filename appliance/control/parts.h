/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the role control that answer its questions and take what it is told. */
#ifndef SEKISHO_CONTROL_PARTS_H
#define SEKISHO_CONTROL_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/control/asker.h"

struct control;
struct err;
struct generation_record;
struct in_force;
struct msg;
struct typist;

/* ---- Messages of the supervisor, and of roles through it ------------------------------------ */

/* dispatch.c: handles a message of the supervisor, or of a role through it. */
bool box_said(struct control *s, struct msg *m);

/* dispatch.c: the compiler will not do this work (a question, or an encryption). */
void work_undone(struct control *s, uint32_t id);

/* ---- The state that the supervisor reports -------------------------------------------------- */

/* told.c: handles reports of the supervisor about its state. False: the report is invalid. */
bool told_standing(struct control *s, struct msg *m);
bool told_past(struct control *s, struct msg *m);
bool told_generation(struct control *s, struct msg *m);

/* A generation in a memfd, as in MSG_GENERATION; NULL: it is not valid. */
struct in_force *in_force_read(int fd, uint32_t n_sealed, uint32_t n_ids);
void in_force_free(struct in_force *p); /* accepts NULL */

/* ---- Stored generations, for people --------------------------------------------------------- */

/* show.c: the texts of a stored generation, and of the one before it; 0 = the one in force */
int show_open(struct control *s, struct err *e);
void show_generation(struct control *s, struct asker a, const struct msg_show *q);
/* Passes MSG_ASK on, with the generation that was in force at the time in question. */
void show_asked(struct control *s, struct asker a, const struct msg_body *question);
/* Answers what was allowed at a moment, from the generation that was in force then
 * (docs/json.md, effective). */
void show_standing(struct control *s, struct asker a, uint64_t at_s);
void show_told(struct control *s, struct asker a, int status, int fd);
/* The record and the texts of a generation, from its sealed bytes (a descriptor, -1 = none); NULL:
 * it cannot be read. */
json_t *json_kept(const struct control *s, const struct generation_record *g, int fd, struct err *e);

/*
 * Orders about the records over the web: to sign a review, to place or lift a hold. They go to the
 * supervisor, which asks `accounts` whose session it is, and names that account in the record.
 *
 * The same order of a session within a minute is taken for a double click or a repeated request,
 * and is not carried out.
 */

struct records; /* of records.c */

/* 0 or negative errno. */
int records_open(struct control *s, struct err *e);
/* An order of mgmt's. */
void records_ordered(struct control *s, struct asker a, const struct msg_body *order);
/* Takes the result of the order. `fd` stays the caller's; -1 = none. */
void records_answered(struct control *s, struct asker a, int status, int fd);
/* mgmt has ended, so nobody waits for an answer. */
void records_forget(struct control *s);

/* ---- The status of a role as JSON (docs/json.md) -------------------------------------------- */

/* `index`: which worker or gate. Owned by the caller. */
json_t *role_json(const struct msg_body *says, uint32_t index);

/*
 * Makes a backup. The content is collected in steps, one for each turn of the loop. sekisho-compile
 * encrypts it with the site's certificate in a process of its own, so a backup operator gets a file
 * that only the holder of the key can read. Operations that change the policy in force go first.
 */

int backup_open(struct control *s, struct err *e);
/* Begins a backup; only one is made at a time. `certificate`: a memfd with a certificate in PEM,
 * which stays the caller's; -1: the site's, BACKUP_CERTIFICATE. */
void backup_begin(struct control *s, struct asker a, const char *by, int certificate);
/* Takes an answer that the backup has asked for. */
void backup_told(struct control *s, struct asker a, int status, int fd);
void backup_sealed(struct control *s, const struct msg *m);
/* The backup with this id could not be encrypted. */
void backup_unsealed(struct control *s, uint32_t id);
/* The asker of this backup does not wait any more. */
void backup_stop(struct control *s, const struct asker *a);
void backup_due(struct control *s, uint64_t now);
uint64_t backup_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */

/* ---- Work of the compiler for people, one after the other ----------------------------------- */

/* errands.c: work of the compiler for people, which waits for its turn */
struct errands; /* of errands.c */
/* `undone` is told of each piece of work that will have no answer. */
int work_open(struct control *s, void (*undone)(struct control *s, uint32_t id), struct err *e);
/* MSG_SEAL or MSG_ASK; the descriptors stay the caller's. False: there is no place. */
bool work_put(struct control *s, uint32_t id, const struct msg_body *body, const int *fds, size_t n);
/* The asker of this work has left. */
void work_stop(struct control *s, uint32_t id);
/* The answer to the work `id` has come; `gone`: the supervisor says that none will come. id 0: the
 * work that the supervisor has. */
void work_told(struct control *s, uint32_t id, bool gone);
void work_due(struct control *s, uint64_t now);
uint64_t work_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */

/* ---- The effect of an operation on live sessions, as the workers foretell it ---------------- */

/*
 * impact.c: the effect of an operation on live sessions. The supervisor passes on what enforce says
 * of these sessions (impact_told), gives the workers the table, and waits while control asks the
 * workers (impact_weigh).
 */
struct impact; /* of impact.c */
int impact_open(struct control *s, struct err *e);
/* What the compiler says of the policy. */
void impact_meant(struct control *s, struct msg *m);
void impact_told(struct control *s, struct msg *m);
void impact_weigh(struct control *s, struct msg *m);
/* A worker's answer. */
void impact_foretold(struct control *s, struct msg *m);
/* The question with this id did not reach its worker. */
void impact_unasked(struct control *s, uint32_t id);
void impact_gone(struct control *s, unsigned slot); /* its process has ended */
void impact_due(struct control *s, uint64_t now);
uint64_t impact_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */
/* The answer `j` to the order `id` has come: adds what is known of the effect. NULL: nobody
 * waits. */
void impact_answer(struct control *s, uint32_t id, json_t *j);

/* ---- Small texts that the role keeps in its folder ------------------------------------------ */

/* A text without blanks in a file of control's folder, with its digest. */
#define NOTE_MOST 128u
void note_keep(const char *name, const char *what);
/* False: there is no such file, or it is damaged. */
bool note_kept(const char *name, char out[NOTE_MOST]);

/* ---- Which questions are allowed, and who answers them -------------------------------------- */

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
