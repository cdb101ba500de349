/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards of the box that was, and which of this machine take their places: by hardware address, by --map, or asked at the
 * terminal. Then the texts of the policy name those.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_CARDS_H
#define SEKISHO_MGMT_CLI_BACKUP_CARDS_H

#include "appliance/base/bytes.h"
#include "mgmt/cli/cli.h"

#define CARDS_MOST 256u
#define CARD_NAME 16u /* with the NUL, as the kernel's */
#define CARD_MAC 24u

struct card_place {
	char was[CARD_NAME], mac[CARD_MAC]; /* in the backup */
	char is[CARD_NAME];		    /* here */
	bool named;			    /* by a text that was renamed */
};

struct card_places {
	struct card_place list[CARDS_MOST];
	size_t n;
};

/*
 * Finds a place for each of `cards`, an array as above. `option`: the number of --map in `a`. False after saying what is missing.
 */
bool cards_place(struct cli *c, const struct cli_args *a, size_t option, const json_t *cards, const json_t *status,
		 struct card_places *ret, int *ret_status);
/* A text of libconfig in which each value of `device` has its new name, malloc'd; comments and all else stay. NULL without memory. */
char *cards_rename(struct card_places *p, struct bytes text, size_t *ret_n);

#endif
