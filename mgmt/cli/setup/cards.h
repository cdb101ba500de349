/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's network cards, as setup shows them.
 */
#ifndef SEKISHO_MGMT_CLI_SETUP_CARDS_H
#define SEKISHO_MGMT_CLI_SETUP_CARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct setup;

#define CARDS_MAX 64u

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

#endif
