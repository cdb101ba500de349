/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a whole backup at a box: taken from their folders, which root alone reads, and put
 * back. Each is old or new at any moment, however this process ends: a file by its rename, key and
 * certificate together by an exchange of their folder.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_PLACE_H
#define SEKISHO_MGMT_CLI_BACKUP_PLACE_H

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "mgmt/cli/backup/whole.h"

/* Reads the files. 0; negative errno with *e; -ENODATA: *ret_name is missing, without which there
 * is no whole backup. Credentials that are links are left out, and named in `left_out`, a list. */
int place_collect(const char *state, const char *settings, struct whole *ret, json_t *left_out, const char **ret_name,
		  struct err *e);
/* Writes credentials that `settings` lacks, and leaves existing ones as they are. Adds their names
 * to the lists. 0 or negative errno. */
int place_settings(const struct whole *w, const char *settings, json_t *put, json_t *stay, struct err *e);
/* Writes the authority and the token beside those of the box, and exchanges both. The former ones
 * are then in the place of the new ones, until place_done. 0 or negative errno. */
int place_secrets(const struct whole *w, const char *state, struct err *e);
/* Exchanges them again, so that the former ones are in force. */
int place_back(const char *state, struct err *e);
/* Deletes what was written beside, or is left of an interrupted restore. */
void place_done(const char *state);

#endif
