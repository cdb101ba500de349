/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stick for scheduled backups: a FAT file system with one label. mtools reads and writes it, as
 * at the appliance's console, and not the kernel: whoever brings a stick chooses its bytes. So
 * nothing is mounted, and there are no links, owners or devices. Of its files, only the one just
 * written is read. A file that this box did not write is neither replaced nor deleted.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_STICK_H
#define SEKISHO_MGMT_CLI_BACKUP_STICK_H

#include "appliance/base/bytes.h"

/* Takes the device for this process alone; *ret_fd is the caller's. NULL, or a word that tells why
 * not (docs/json.md, status): absent, in_use, read_only, unfit. */
const char *stick_open(int *ret_fd);
/*
 * Writes the file under a temporary name, reads it back, and renames it. Then deletes the oldest
 * files of the form PREFIX<date>.backup until `most` are left. NULL, or why not: full, odd (a
 * folder or an earlier file has its name), unwritten.
 */
const char *stick_store(int fd, const char *prefix, const char *name, struct bytes file, unsigned most);

#endif
