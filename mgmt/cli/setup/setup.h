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

/*
 * The facts about a network that the box divides into two sides: the box's own address there, the
 * hosts on each side, and the gateways to other networks. Each answer is checked when it is typed,
 * against the earlier ones; the compiler checks all of them again. Pure: asks nobody, prints
 * nothing, owns nothing.
 */

#define SIDES 2u
#define SIDE_NETWORKS 2u /* one of each family */
#define SIDE_HOSTS 32u	 /* addresses, spans and networks of one side; more are written by hand */

struct side_network {
	struct addr own; /* the box's address */
	struct addr_range range;
	struct addr gateway; /* family 0 = none */
	size_t gateway_side; /* 0 or 1 */
};

struct sides {
	struct side_network networks[SIDE_NETWORKS];
	size_t n_networks;
	struct addr_range hosts[SIDES][SIDE_HOSTS];
	size_t n_hosts[SIDES]; /* 0 = all hosts that are not on the other side */
};

enum side_fault {
	SIDE_GOOD,
	SIDE_WORD,    /* no address, or not in the required form */
	SIDE_TWICE,   /* there is one of that family already */
	SIDE_NOBODY,  /* an address that no host can have there, or that is the box's own */
	SIDE_SMALL,   /* the network has no room for the box and a host on each side */
	SIDE_OUTSIDE, /* outside of the network */
	SIDE_TAKEN,   /* all or a part of it is on the other side */
	SIDE_MANY,    /* more than SIDE_HOSTS */
};

/* Adds a network by the box's address in it, such as "10.30.0.2/24". */
enum side_fault sides_network(struct sides *s, const char *text);
/* Adds "10.30.0.10", "10.30.0.10-10.30.0.19" or "10.30.0.64/26" to the hosts of `side`. */
enum side_fault sides_host(struct sides *s, size_t side, const char *text);
/* Whether a host of network n has been named on the side. */
bool sides_names(const struct sides *s, size_t side, size_t n);
/* Sets the gateway of network n, such as "10.30.0.1"; its side is asked separately. */
enum side_fault sides_gateway(struct sides *s, size_t n, const char *text);
/* Whether a host of that network can have the address. A network of one or two addresses has
 * neither an address of its own nor one for broadcasts: hosts can have all of them. */
bool sides_is_host(const struct addr *a, const struct addr_range *net);
/* The side of the host, from the answers so far; SIDES = not known yet. */
size_t sides_of(const struct sides *s, const struct addr *host);

#define CARDS_MAX 64u
#define SETUP_LINE 256u
#define SETUP_DATA 16u	   /* data interfaces that setup asks about; more are written by hand */
#define SETUP_ADDRESSES 4u /* addresses of one interface */

struct card {
	char name[16], mac[20], driver[32], master[16];
	int speed_mbit; /* 0 = not known */
	bool up, carrier, hardware, yours;
	/* `raised`: links_raise turned the card on; `quieted`: it turned the card's IPv6 off */
	bool raised, quieted;
};

struct cards {
	struct card list[CARDS_MAX];
	size_t n;
	uint64_t raised_ns; /* monotonic ns when a card was last turned on; 0 = never */
};

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

/* cards.c */
void cards_read(struct cards *ret);
void cards_print(struct setup *s);
/* Tells which cables were plugged or pulled since the cards were last read. */
void cards_watch(struct setup *s);
/* Makes the light of the card blink for some seconds, if the driver can. */
void card_blink(struct setup *s, const struct card *card);

/*
 * A card that is down shows no link, so links_raise turns on the cards that are down, have no
 * address and are part of nothing else. It turns off ARP and IPv6 on them, so that the kernel has
 * nothing to send there. links_settle waits for the links of the cards that have just been turned
 * on, because a cable that was there before would otherwise count as new. links_lower turns these
 * cards off again; it may be called twice.
 */
void links_raise(struct cards *all);
void links_settle(const struct cards *all);
void links_lower(struct cards *all);

/* write.c: owned by the caller; NULL when memory is out */
char *setup_box_text(const struct setup *s);
char *setup_policy_text(const struct setup *s);
/* Writes both files into the folder, or neither. Earlier files are kept under other names (keep.c).
 * 0, or the exit status after printing the reason. */
int setup_write(struct setup *s, const char *folder, const char *box, const char *policy);

/*
 * The questions of `sekisho setup`. Each function asks one question, checks the answer, keeps it
 * and prints the result. setup.c decides the order of the questions. `k`: the data interface that
 * the question is about, from 0; not used by other questions.
 */

#define SETUP_NAME_MOST 63u

enum step_result {
	STEP_GO,
	STEP_STAY, /* ask the same question again */
	STEP_BACK,
	STEP_QUIT,
	STEP_ENOUGH, /* no further questions: show the result */
};

typedef enum step_result step(struct setup *s, size_t k);

/* site.c */
step step_language, step_site, step_label, step_contact, step_responsible, step_purpose, step_mode;
/* site.c: the zone behind an interface, and its class */
step step_zone, step_class_of, step_zone_label, step_owner;
/* interface.c */
step step_admin_card, step_admin_vlan, step_admin_address, step_terminals;
step step_data_card, step_data_vlan, step_data_address;
/* as step_admin_card, for a side of a box between two switches; only the words of the question
 * differ */
step step_side_card;
/* between.c. For the two questions about gateways, `k` is the number of the network. */
step step_shared_address, step_hosts, step_gateway, step_gateway_side;
/* apply.c */
step step_show;

/* ---- functions that all steps use (ask.c) ---------------------------------------------------- */

/* Prints a text of the catalogue as a line. */
void step_tell(struct setup *s, enum message m, ...);
enum step_result step_ask(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE]);
/* As step_ask, but full-width letters, digits and signs of an input method become plain ones. */
enum step_result step_ask_plain(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE]);
void step_plain(char text[SETUP_LINE]);
/* Whether the text is a valid name in a policy. */
bool step_name_good(const char *text);

/* Renames an existing file before a text is written, without losing files that were kept before. */

/* Renames NAME (at most 20 bytes) to NAME.before, or to the first free one of NAME.before.2, ... 0,
 * also when there is no NAME; or negative errno. */
int setup_keep(int dir, const char *name);
/* Undoes setup_keep: NAME becomes NAME.tried, replacing an earlier one, and the file that
 * setup_keep kept last becomes NAME again. 0 or negative errno. */
int setup_unkeep(int dir, const char *name);

#endif
