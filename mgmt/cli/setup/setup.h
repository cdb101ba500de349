/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho setup`: questions at a terminal, from which box.cfg and an empty policy follow. The files of this folder share this. Nothing is
 * written before everything was shown, and nothing is applied but on trial.
 */
#ifndef SEKISHO_MGMT_CLI_SETUP_SETUP_H
#define SEKISHO_MGMT_CLI_SETUP_SETUP_H

#include "appliance/base/addr.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/setup/sides.h"

#define CARDS_MAX 64u
#define SETUP_LINE 256u
#define SETUP_DATA 16u	   /* data interfaces that it asks about; more are written by hand */
#define SETUP_ADDRESSES 4u /* of one interface */

struct card {
	char name[16], mac[20], driver[32], master[16];
	int speed_mbit; /* 0 = not known */
	bool up, carrier, hardware, yours;
};

struct cards {
	struct card list[CARDS_MAX];
	size_t n;
};

struct setup_interface {
	const struct card *card;
	unsigned vlan; /* 0 = frames without a tag */
	char addresses[SETUP_ADDRESSES][ADDR_TEXT], networks[SETUP_ADDRESSES][ADDR_TEXT];
	size_t n_addresses;
	char zone[64];	/* data only */
	unsigned class; /* index into zone_class_words */
};

struct setup {
	struct cli *c;
	const char *folder;
	struct cards cards;
	char site[64], label[SETUP_LINE];
	struct setup_interface admin, data[SETUP_DATA];
	size_t n_data;
	bool between; /* the two data interfaces are sides of one network, and have no addresses of their own */
	struct sides sides;
	bool going_back;			   /* the question was come to from one behind it */
	int status;				   /* once it is done */
	char terminals[ADDR_TEXT], via[ADDR_TEXT]; /* "" = in the admin network itself */
};

/* What a person said to a question. */
enum said { SAID_TEXT, SAID_BACK, SAID_QUIT };

/* ask.c: prints the question (and what an empty line means), reads one line into `out` without spaces at its ends. What no
 * answer can hold is asked again. The end of the input is "quit". */
enum said setup_ask(struct setup *s, const char *question, const char *otherwise, char out[SETUP_LINE]);

/* cards.c */
void cards_read(struct cards *ret);
void cards_print(struct setup *s);
/* Its light blinks for some seconds, where the driver can. */
void card_blink(struct setup *s, const struct card *card);

/* write.c: owned by the caller; NULL when memory is out */
char *setup_box_text(const struct setup *s);
char *setup_policy_text(const struct setup *s);
/* Both into the folder, whole or not at all; what lay there is kept beside (keep.h). 0 or the exit status, after saying why. */
int setup_write(struct setup *s, const char *folder, const char *box, const char *policy);

#endif
