/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho setup`: questions at a terminal, from which box.cfg and an empty policy follow. The
 * files of this folder share this. Nothing is written before everything was shown, and nothing is
 * applied but on trial.
 */
#ifndef SEKISHO_MGMT_CLI_SETUP_SETUP_H
#define SEKISHO_MGMT_CLI_SETUP_SETUP_H

#include "appliance/base/addr.h"
#include "mgmt/cli/cli.h"

/*
 * What can be said of a network that the box stands in the middle of: its own address there, who is
 * behind which of two sides, the way to other networks. Each word of a person is judged when it is
 * typed, by what was said before it; the compiler has the last word. Pure: asks nobody, prints
 * nothing, owns nothing.
 */

#define SIDES 2u
#define SIDE_NETWORKS 2u /* one of each family */
#define SIDE_HOSTS 32u	 /* addresses, spans and networks of one side; more are written by hand */

struct side_network {
	struct addr own; /* the box's */
	struct addr_range range;
	struct addr gateway; /* family 0 = none */
	size_t gateway_side; /* 0 or 1 */
};

struct sides {
	struct side_network networks[SIDE_NETWORKS];
	size_t n_networks;
	struct addr_range hosts[SIDES][SIDE_HOSTS];
	size_t n_hosts[SIDES]; /* 0 = whoever is not on the other side */
};

enum side_fault {
	SIDE_GOOD,
	SIDE_WORD,    /* no address, or not of the form that is asked for */
	SIDE_TWICE,   /* there is one of that family already */
	SIDE_NOBODY,  /* an address that no host can have there, or that is the box's own */
	SIDE_SMALL,   /* the network has no room for the box and a host on each side */
	SIDE_OUTSIDE, /* of the network */
	SIDE_TAKEN,   /* on the other side, all or a part of it */
	SIDE_MANY,    /* more than SIDE_HOSTS */
};

/* "10.30.0.2/24", the box's address and the network: added to `networks`. */
enum side_fault sides_network(struct sides *s, const char *text);
/* "10.30.0.10", "10.30.0.10-10.30.0.19" or "10.30.0.64/26": added to the hosts of `side`. */
enum side_fault sides_host(struct sides *s, size_t side, const char *text);
/* Somebody of network n is among the hosts named on the side. */
bool sides_names(const struct sides *s, size_t side, size_t n);
/* "10.30.0.1": the gateway of network n, whose side is said apart. */
enum side_fault sides_gateway(struct sides *s, size_t n, const char *text);
/* On which side the host is by what was said; SIDES = that is open. */
size_t sides_of(const struct sides *s, const struct addr *host);

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
	char zone[64]; /* data only, as are the next two */
	char label[SETUP_LINE], owner[SETUP_LINE];
	unsigned class; /* index into zone_class_words */
};

struct setup {
	struct cli *c;
	const char *folder;
	struct cards cards;
	char site[64], label[SETUP_LINE], contact[SETUP_LINE];
	/* of records of what passed; nobody: there are none */
	char responsible[SETUP_LINE], purpose[SETUP_LINE];
	struct setup_interface admin, data[SETUP_DATA];
	size_t n_data;
	/* the two data interfaces are sides of one network, and have no addresses of their own */
	bool between;
	struct sides sides;
	bool going_back;			   /* the question was come to from one behind it */
	int status;				   /* once it is done */
	char terminals[ADDR_TEXT], via[ADDR_TEXT]; /* "" = in the admin network itself */
};

/* What a person said to a question. */
enum said { SAID_TEXT, SAID_BACK, SAID_QUIT };

/* ask.c: prints the question (and what an empty line means), reads one line into `out` without
 * spaces at its ends. What no answer can hold is asked again. The end of the input is "quit". */
enum said setup_ask(struct setup *s, const char *question, const char *otherwise, char out[SETUP_LINE]);

/* cards.c */
void cards_read(struct cards *ret);
void cards_print(struct setup *s);
/* Its light blinks for some seconds, where the driver can. */
void card_blink(struct setup *s, const struct card *card);

/* write.c: owned by the caller; NULL when memory is out */
char *setup_box_text(const struct setup *s);
char *setup_policy_text(const struct setup *s);
/* Both into the folder, whole or not at all; what lay there is kept beside (keep.h). 0 or the exit
 * status, after saying why. */
int setup_write(struct setup *s, const char *folder, const char *box, const char *policy);

/*
 * The questions of `sekisho setup`, a function each: it asks once, checks at once what was typed,
 * keeps it, and says what became of it. Which comes after which is setup.c's affair. `k` says of
 * which data interface it asks, from 0; other questions have no use for it.
 */

#define SETUP_NAME_MOST 63u

enum step_result {
	STEP_GO,
	STEP_STAY, /* the same again */
	STEP_BACK,
	STEP_QUIT,
	STEP_ENOUGH, /* nothing further is to be asked: show it */
};

typedef enum step_result step(struct setup *s, size_t k);

/* site.c */
step step_language, step_site, step_label, step_contact, step_responsible, step_purpose, step_mode;
/* interface.c */
step step_admin_card, step_admin_vlan, step_admin_address, step_terminals;
step step_data_card, step_data_vlan, step_data_address;
/* Of a box between two switches, the same with other words. */
step step_side_card;
/* zone.c */
step step_zone, step_class_of, step_zone_label, step_owner;
/* between.c; of gateways `k` is the network */
step step_shared_address, step_hosts, step_gateway, step_gateway_side;
/* show.c */
step step_show;

/* ---- what they share: ask.c ------------------------------------------------------------------ */

/* A line of the catalogue's. */
void step_tell(struct setup *s, enum message m, ...);
enum step_result step_ask(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE]);
/* The same where letters, digits and signs of an input method's full width are meant as
 * plain ones. */
enum step_result step_ask_plain(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE]);
void step_plain(char text[SETUP_LINE]);
/* As policies name things. */
bool step_name_good(const char *text);

#endif
