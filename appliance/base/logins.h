/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logins of the machine, as its own file /etc/passwd has them and nothing else: asking a directory over the network is nothing for a process that
 * never waits, and what such a directory says is another machine's word. A number that two names share is nobody's, and so is a name that stands there twice.
 */
#ifndef SEKISHO_BASE_LOGINS_H
#define SEKISHO_BASE_LOGINS_H

#include <stdbool.h>
#include <stdint.h>

#define LOGINS_FILE "/etc/passwd"
#define LOGIN_MOST 31u /* bytes of a name that is taken */

/*
 * A person's: never root, never the number that the kernel gives to users whom it cannot name here (of another user namespace), never one of
 * those from which Sekisho's own and the dynamic users of systemd are.
 */
bool login_is_persons(uint32_t uid);
/* A small letter or '_', then small letters, digits, '.', '-', '_'; at most LOGIN_MOST bytes. */
bool login_is_name(const char *name);
/* False: no login, no person's, or not the only one of its number. */
bool login_of_uid(const char *file, uint32_t uid, char out[LOGIN_MOST + 1]);
bool login_of_name(const char *file, const char *name, uint32_t *ret_uid);
/* The number of a group, of a file as /etc/group; false: there is none, or more than one, or it is root's. */
bool login_group(const char *file, const char *name, uint32_t *ret_gid);

#endif
