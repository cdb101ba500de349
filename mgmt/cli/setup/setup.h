/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho setup`: asks questions at a terminal, and makes box.cfg and an empty policy from the
 * answers. The files of this folder share this header. Nothing is written before all of it has been
 * shown, and a policy is applied on trial only.
 */
#ifndef SEKISHO_MGMT_CLI_SETUP_SETUP_H
#define SEKISHO_MGMT_CLI_SETUP_SETUP_H

#include "appliance/base/addr.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/setup/cards.h"
#include "mgmt/cli/setup/sides.h"

#define SETUP_LINE 256u
#define SETUP_DATA 16u	   /* data interfaces that setup asks about; more are written by hand */
#define SETUP_ADDRESSES 4u /* addresses of one interface */

struct setup_interface {
	const struct card *card;
	unsigned vlan; /* 0 = frames without a tag */
	char addresses[SETUP_ADDRESSES][ADDR_TEXT], networks[SETUP_ADDRESSES][ADDR_TEXT];
	size_t n_addresses;
	char zone[64]; /* zone, label and owner: only of data interfaces */
	char label[SETUP_LINE], owner[SETUP_LINE];
	unsigned class; /* index into zone_class_words */
};

struct setup {
	struct cli *c;
	const char *folder;
	struct cards cards;
	char site[64], label[SETUP_LINE], contact[SETUP_LINE];
	/* of records of allowed traffic; "": such records are not kept */
	char responsible[SETUP_LINE], purpose[SETUP_LINE];
	struct setup_interface admin, data[SETUP_DATA];
	size_t n_data;
	/* the two data interfaces are sides of one network, and have no addresses of their own */
	bool between;
	struct sides sides;
	bool going_back; /* the person has come back to this question */
	/* called while an answer is awaited; NULL = nothing */
	void (*watch)(struct setup *s);
	/* monotonic ns after which no answer counts; 0 = never */
	uint64_t ends_ns;
	int status; /* exit status, at the end */
	/* the terminals' network and the router to it; "" = terminals are in the admin network
	 * itself */
	char terminals[ADDR_TEXT], via[ADDR_TEXT];
};

/* What a person said to a question. */
enum said { SAID_TEXT, SAID_BACK, SAID_QUIT };

/* ask.c: prints the question (and what an empty line means), reads one line into `out` without
 * spaces at its ends. Asks again if the line has something that no answer can have. The answer is
 * "quit" at the end of the input and after s->ends_ns. */
enum said setup_ask(struct setup *s, const char *question, const char *otherwise, char out[SETUP_LINE]);
/* From here on, a signal that would end the program (Ctrl-C, the end of the session) is the answer
 * "quit" to every question. */
void setup_ask_to_the_end(void);

/* write.c: owned by the caller; NULL when memory is out */
char *setup_box_text(const struct setup *s);
char *setup_policy_text(const struct setup *s);
/* Writes both files into the folder, or neither. Earlier files are kept under other names (keep.c).
 * 0, or the exit status after printing the reason. */
int setup_write(struct setup *s, const char *folder, const char *box, const char *policy);

/* Renames an existing file before a text is written, without losing files that were kept before. */

/* Renames NAME (at most 20 bytes) to NAME.before, or to the first free one of NAME.before.2, ... 0,
 * also when there is no NAME; or negative errno. */
int setup_keep(int dir, const char *name);
/* Undoes setup_keep: NAME becomes NAME.tried, replacing an earlier one, and the file that
 * setup_keep kept last becomes NAME again. 0 or negative errno. */
int setup_unkeep(int dir, const char *name);

#endif
