/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role control: the people's side of the box. It hears the command line and the web side, keeps the draft, makes backups, puts answers together out of what roles
 * say, and watches what people have to be told of in time. It has no privilege: what changes the box it hands to the supervisor, which believes it nothing of who
 * ordered it (supervise/orders.h). One thread, one loop that never waits for anybody.
 *
 *   role.c      start, loop, end
 *   told.c      what the supervisor says of how things stand
 *   people.c    who is connected, and answers on their way
 *   dispatch.c  what anybody may ask
 *   answers.c   questions that several roles answer; answers_json.c puts them together
 *   change.c    the draft that people prepare, and who agrees to it
 *   records.h, backup.h, show.c, review.h, near_end.h, certificates.h: a file each
 */
#ifndef SEKISHO_CONTROL_CONTROL_H
#define SEKISHO_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/control/answers.h"
#include "appliance/control/asker.h"
#include "appliance/control/backup.h"
#include "appliance/control/certificates.h"
#include "appliance/control/change.h"
#include "appliance/control/near_end.h"
#include "appliance/control/people.h"
#include "appliance/control/records.h"
#include "appliance/control/review.h"
#include "appliance/store/generation.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/slot.h"
#include "policy/ir/ir.h"

/* Beside the slots: the supervisor itself, which is asked like a role. */
#define SLOT_BOX SLOTS
#define ASKED (SLOTS + 1u)

/* The generation in force, as control has been told of it. */
struct in_force {
	uint64_t number; /* 0: the empty one */
	struct arena *arena;
	struct ir *ir;
};

/* Of these counts a part is a role's, which begins anew with it. */
enum counted { COUNTED_STOPPED, COUNTED_SEARCHES, COUNTED_DRIFTS, COUNTED };

struct control {
	enum lang lang;
	struct event_port events;
	bool logins;		       /* there is a socket of logins */
	int web;		       /* the channel to the web side, -1 = none */
	int web_next;		       /* ... of a new process of it, until the loop takes it; -1 = none */
	uint32_t web_number;	       /* the same: which process of it */
	bool stands;		       /* all of the following was told once; before that nobody is heard */
	struct in_force *now;	       /* NULL until then */
	struct generation_store store; /* its list alone, as the supervisor has it */
	uint64_t trial;		       /* generation on trial, 0 = none */
	uint64_t step;		       /* generation_step() of the supervisor's store */
	bool busy;		       /* what is in force is just being changed */
	uint32_t changes;	       /* how many of that have begun */
	bool trusted;		       /* the clock is */
	uint64_t wanted, running;      /* bit n: slot n */
	uint32_t next_id;
	struct {
		json_int_t last, gone; /* of the one that runs, and of those before it */
	} counted[COUNTED];
	char drift_last[32]; /* when the rules were changed last, as the role said it that saw it */
	/* Each its own file's, made at the start. */
	struct collect *collects; /* answers.c */
	json_t *(*compose)(struct control *s, struct collect *c,
			   int *status);       /* answers_json.c, which stands above it */
	uint64_t web_asked;		       /* the same: up to when what the web side has asked takes its time */
	struct client *clients;		       /* people.c */
	uint64_t next_serial;		       /* the same: of the next connection */
	uint64_t logins_again;		       /* the same: monotonic ns, when the next question of a login is read */
	struct answer *answers, *answers_last; /* answer.c; owned, the oldest first */
	struct change *change;		       /* change.c */
	bool draft_unsaved;		       /* the same: the draft is not on the disk */
	uint64_t save_again;		       /* monotonic ns */
	struct records *records;	       /* records.c */
	struct backup *backup;		       /* backup.c */
	struct shows *shows;		       /* show.c */
	struct reviews reviews;
	struct near_ends near_ends;
	struct certificates certificates;
};

/* ground.c */
uint64_t now_ns(void);
void say_line(const struct control *s, enum message m, ...); /* one line on standard error */
/* By whom, and about what; NULL = nobody, nothing. */
void policy_record(struct control *s, enum policy_event what, uint64_t number, const char *by, const char *object);
/* Asks whoever stands at that place, the supervisor itself too. False: it was not sent. */
bool ask_slot(struct control *s, unsigned slot, uint32_t number, const struct msg_body *question, const int *fds,
	      size_t n);
bool slot_is_wanted(const struct control *s, unsigned slot);
enum role slot_role(unsigned slot);
uint32_t slot_index(unsigned slot);

/* told.c: handlers of what the supervisor says of how things stand. False: that makes no sense. */
bool told_standing(struct control *s, const struct msg *m);
bool told_past(struct control *s, struct msg *m);
bool told_generation(struct control *s, struct msg *m);

/* show.c: the texts of a generation that is kept, and of the one before it; 0 = the one in force */
int show_open(struct control *s, struct err *e);
void show_generation(struct control *s, struct asker a, uint64_t number, bool sealed);
void show_told(struct control *s, struct asker a, int status, int fd);
/* The record and the texts of one, out of its sealed bytes (a descriptor, -1 = none); NULL: it cannot be read. */
json_t *json_kept(const struct control *s, const struct generation_record *g, int fd, struct err *e);

#endif
