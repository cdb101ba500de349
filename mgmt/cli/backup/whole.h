/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a whole backup has besides the policy: the register of accounts, the API's authority and
 * token, and the credentials beside box.cfg, as a bundle (base/bundle.h) whose names are a fixed
 * list. Its plain text is in memory only, which is wiped.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_WHOLE_H
#define SEKISHO_MGMT_CLI_BACKUP_WHOLE_H

#include "appliance/base/bytes.h"
#include "appliance/seal/cms.h"

#define WHOLE_REGISTER_MOST (1u << 20) /* bytes; accounts reads no more */
#define WHOLE_MOST (2u << 20)	       /* bytes of all parts */
#define WHOLE_STATE "/var/lib/sekisho"

enum whole_folder { WHOLE_IN_ACCOUNTS, WHOLE_IN_SECRETS, WHOLE_IN_SETTINGS };

struct whole_row {
	const char *name; /* name of the file and in the bundle */
	enum whole_folder folder;
	bool compulsory;
	size_t most;   /* bytes */
	unsigned mode; /* of a file in the settings' folder */
};

enum { WHOLE_ACCOUNTS, WHOLE_KEY, WHOLE_CERTIFICATE, WHOLE_PARTS = 12 };

extern const struct whole_row whole_rows[WHOLE_PARTS];

struct whole {
	uint8_t *memory; /* owned: the bundle */
	size_t n;
	struct bytes parts[WHOLE_PARTS]; /* views into the bundle; empty = the part is not in it */
};

/* Reads the bundle of `w->memory`. False: a name is unknown or there twice, a part is too large or
 * missing, or something follows. */
bool whole_read(struct whole *w);
void whole_free(struct whole *w);
/* The bundle of these parts. False: no memory, or too much. */
bool whole_bundle(const struct bytes parts[WHOLE_PARTS], struct whole *ret);
/* Encrypts the bundle in a process of its own; *ret is malloc'd, owned by the caller. */
bool whole_seal(const struct whole *w, struct bytes certificate, uint8_t **ret, size_t *ret_n);
/* Decrypts the bundle and checks its parts, each in a process of its own. *ret_accounts: the number
 * of accounts in the register. False: it was not encrypted to this key, or no box wrote it; *ret
 * has to be freed. */
bool whole_open(struct cms_key *key, struct bytes message, struct whole *ret, unsigned *ret_accounts);
/* Counts the accounts of the register. False: the register is damaged, or the authority's key does
 * not fit its certificate. */
bool whole_look(const struct whole *w, unsigned *ret_accounts);

#endif
