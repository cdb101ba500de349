/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_BACKUP_H
#define SEKISHO_MGMT_CLI_BACKUP_BACKUP_H

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/seal/cms.h"
#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"
#include "mgmt/cli/cli.h"

/*
 * The bundle (base/bundle.h) with what a whole backup has besides the policy: the register of
 * accounts, the API's authority and token, and the credentials beside box.cfg. The names of its
 * parts are a fixed list. Its plain text is only in memory, which is wiped afterwards.
 */

#define WHOLE_REGISTER_MOST (1u << 20) /* bytes; accounts reads no more */
#define WHOLE_MOST (2u << 20)	       /* bytes of all parts */
#define WHOLE_STATE "/var/lib/sekisho"

enum whole_folder { WHOLE_IN_ACCOUNTS, WHOLE_IN_SECRETS, WHOLE_IN_SETTINGS };

struct whole_row {
	const char *name; /* name of the file and in the bundle */
	enum whole_folder folder;
	bool compulsory;
	size_t most;   /* bytes */
	unsigned mode; /* permissions; only of a file in the settings' folder */
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
/* Makes the bundle of these parts. False: no memory, or too much. */
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

/*
 * Maps the cards of the backed-up box to cards of this machine: by hardware address, by --map, or
 * by questions at the terminal. The texts of the policy then name the new cards.
 */

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

/*
 * Collects the files of a whole backup from their folders on a box, which only root can read, and
 * puts them back. At any moment each file is either the old or the new one, even if this process is
 * killed: a single file is replaced by a rename, key and certificate together by an exchange of
 * their folder.
 */

/* Reads the files. 0; negative errno with *e; -ENODATA: the file *ret_name is missing, and a whole
 * backup needs it. Credentials that are links are left out, and their names are added to the list
 * `left_out`. */
int place_collect(const char *state, const char *settings, struct whole *ret, json_t *left_out, const char **ret_name,
		  struct err *e);
/* Writes the credentials that the folder `settings` lacks, and adds their names to `put`. Existing
 * ones are not changed; their names are added to `stay`. 0 or negative errno. */
int place_settings(const struct whole *w, const char *settings, json_t *put, json_t *stay, struct err *e);
/* Writes the authority and the token to a folder beside that of the box, and exchanges the two
 * folders. The former files are kept beside until place_done. 0 or negative errno. */
int place_secrets(const struct whole *w, const char *state, struct err *e);
/* Exchanges the two folders again, so that the former files are in force. */
int place_back(const char *state, struct err *e);
/* Deletes the folder that place_secrets or an interrupted restore left beside that of the box. */
void place_done(const char *state);

/*
 * Reads the file of a backup, for restore and for its rehearsal. Its bytes are hostile: a process
 * without files decrypts them (shut/shut.h). The private key stays in the memory of this program,
 * which leaves no core file.
 */

/* The fewest digits of a SHA-256 that a person may give. Nobody can find another file whose SHA-256
 * begins with the same 16 digits. */
#define DIGITS_LEAST 16u

/* The accounts and keys of a file. */
struct opened_keys {
	bool wanted; /* set by the caller: open accounts and keys */
	/* set by the caller: the SHA-256 of the file as somebody noted it, or its first digits;
	 * NULL = do not compare */
	const char *noted;
	bool there; /* the file has accounts and keys */
	unsigned accounts;
	struct whole whole;
	char sha256[65]; /* of the whole file */
};

/* The contents, with at least one generation; a new reference. NULL: the reason was printed, and
 * *ret_status is the status for the verb. `keys->whole` has to be freed in both cases. */
json_t *backup_open(struct cli *c, const char *name, const char *key_name, struct opened_keys *keys, int *ret_status);

/*
 * The part of a restore that is about accounts and keys. The files are hostile until somebody has
 * compared their SHA-256: whoever can encrypt to the certificate can make accounts of his own.
 */

struct people {
	const struct opened_keys *keys;
	const char *state; /* the box's folder */
	const char *made;  /* when the backup was made */
	bool replace;	   /* replace even a register that is in use */
	bool dry_run;
	json_t *lists; /* owned: who would come, change, go */
};

/* Asks the box what would change, and prints it. False: the reason was printed; nothing changed. */
bool people_try(struct cli *c, struct people *p, int *ret_status);
/* Writes credentials that this box lacks, before a policy names them. */
bool people_settings(struct cli *c, const struct people *p, int *ret_status);
/* Puts accounts and keys in place, after the policy. *ret_status: CLI_YES, or the verb's status. A
 * new reference. */
json_t *people_take(struct cli *c, const struct people *p, int *ret_status);
void people_tell(struct cli *c, const struct people *p, const json_t *taken);

/*
 * Writes the texts of a backup to files, with the names of this machine's cards, so that the next
 * edit of the policy begins with the texts in force. Existing files are kept as NAME.before. A
 * backup is hostile input: nothing is written outside the folder.
 */

/* Checks whether the texts can be written there. `into`: the path for the main text; the others go
 * into the same folder. False: the reason was printed; *ret_status. */
bool texts_fit(struct cli *c, const json_t *sources, const char *into, int *ret_status);
/* Writes the texts that differ from the existing files. CLI_YES, or the status for the verb, after
 * the reason was printed. */
int texts_write(struct cli *c, const json_t *sources, struct card_places *places, const char *into);

/*
 * `sekisho backup --verify FILE --key KEY`: whether a box could be made from the file. Opens it,
 * and compiles each generation again in a process without files. The result must have the SHA-256
 * that the generation had on the box. Needs no box; if one runs here, it records the result.
 */

/* If a box runs here, records in its journal that `what` happened. Characters of `text` that are
 * not ASCII become '?'. False: nothing was recorded. Prints nothing. */
bool backup_recorded(struct cli *c, enum machine_event what, char *text);
/* The exit status: CLI_YES when all generations came out as they were, else CLI_NO. */
int backup_rehearse(struct cli *c, const char *name, const char *key_name);

/*
 * `sekisho backup --scheduled`: makes a whole backup, and stores it outside the box: on a stick, at
 * the backup server of box.cfg, or both, as root's file /etc/sekisho/backup-schedule says. The
 * package's timer runs it each hour; the box says which target is due (control/carried.c).
 */

/* Takes a finished backup; `sha256` in hex. The status for the verb. */
typedef int backup_store(void *ctx, struct bytes file, const char *sha256);
/* Makes a whole backup with the files in the folder `state`, and returns the status of `store`. If
 * `store` could not be called: the reason was printed, and the status is that of the failure. */
typedef int backup_make(struct cli *c, const char *state, backup_store *store, void *ctx);

/* Backs up to the targets of the schedule; with `only_due` only to those whose time has come.
 * CLI_YES: done for all of them; CLI_NO: not for all of them; CLI_CANNOT. */
int backup_carry(struct cli *c, bool only_due, const char *state, backup_make *make);

#endif
