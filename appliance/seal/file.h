/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a backup: one line of text, then a message of CMS (RFC 5652, RFC 5083) in DER.
 *
 *   sekisho-backup 1 <SHA-256 of what follows the line, 64 small hex digits>\n
 *
 * A whole backup has form 2: behind the line are the length of that message (u32, big endian), the
 * message, and a second one with accounts and keys (mgmt/cli/backup/backup.h).
 *
 * A CMS message has parts that its key does not protect. With the line, any altered bit in the file
 * is detected, and a file of another product or of a newer format is recognised before anything is
 * parsed. The line does not prove who made the file. Pure; the texts that it returns are views of
 * the caller's bytes.
 */
#ifndef SEKISHO_SEAL_FILE_H
#define SEKISHO_SEAL_FILE_H

#include "appliance/base/bytes.h"
#include "appliance/base/json.h"

#define BACKUP_FORM 1u
#define BACKUP_FORM_WHOLE 2u
#define BACKUP_MOST (96u << 20) /* bytes of a file */
#define BACKUP_LINE (sizeof("sekisho-backup 1 ") - 1 + 64 + 1)

enum backup_kind { BACKUP_WHOLE, BACKUP_FOREIGN, BACKUP_NEWER, BACKUP_DAMAGED };

/* Writes the line of a file. `body` is all that will follow the line. */
void backup_line(unsigned form, struct bytes body, char out[BACKUP_LINE + 1]);
/* Reads the line. *ret_message and *ret_keys (the message with accounts and keys; empty if there is
 * none) are set only for BACKUP_WHOLE: the file is complete and unaltered. */
enum backup_kind backup_read(struct bytes file, struct bytes *ret_message, struct bytes *ret_keys);

/* The cards of a box as a backup has them, and as a restore compares them: {"device","mac"} of each
 * card that a box has now, from the answer to `status`; a new reference. In cards.c. */
json_t *cards_of_box(const json_t *status);

#endif
