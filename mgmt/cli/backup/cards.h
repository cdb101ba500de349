/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps the cards of the backed-up box to cards of this machine: by hardware address, by --map, or
 * by questions at the terminal. The texts of the policy then name the new cards.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_CARDS_H
#define SEKISHO_MGMT_CLI_BACKUP_CARDS_H

#include "appliance/base/bytes.h"
#include "mgmt/cli/cli.h"

#define CARDS_MOST 256u
#define CARD_NAME 16u /* bytes with the NUL, as in the kernel */
#define CARD_MAC 24u

struct card_place {
	char was[CARD_NAME], mac[CARD_MAC]; /* name and MAC address in the backup */
	char is[CARD_NAME];		    /* name on this box */
	bool named;			    /* a changed text names this card */
};

struct card_places {
	struct card_place list[CARDS_MOST];
	size_t n;
};

/*
 * Finds a card for each of `cards`, an array as cards_of_box (seal/file.h) makes it. `option`: the
 * index of --map in `a`. False: the missing cards were printed.
 */
bool cards_place(struct cli *c, const struct cli_args *a, size_t option, const json_t *cards, const json_t *status,
		 struct card_places *ret, int *ret_status);
/* A copy of a libconfig text with the new name in each value of `device`, malloc'd. Comments and
 * all other parts are unchanged. NULL without memory. */
char *cards_rename(struct card_places *p, struct bytes text, size_t *ret_n);

#endif
