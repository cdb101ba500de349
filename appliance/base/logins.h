/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logins of the machine, from /etc/passwd only. A directory on the network is not asked,
 * because the process must never wait, and the answer would be the claim of another machine. A uid
 * with two names, and a name that is there twice, are not accepted.
 */
#ifndef SEKISHO_BASE_LOGINS_H
#define SEKISHO_BASE_LOGINS_H

#include <stdbool.h>
#include <stdint.h>

#define LOGINS_FILE "/etc/passwd"
#define LOGIN_MOST 31u /* bytes of a name that is accepted */

/*
 * Whether the uid can belong to a person. It cannot if it is root's, the kernel's overflow uid for
 * users of another user namespace, or in the ranges of Sekisho's own users and of systemd's
 * dynamic users.
 */
bool login_is_persons(uint32_t uid);
/* Whether the name is a lower-case letter or '_', followed by lower-case letters, digits, '.', '-',
 * '_'; at most LOGIN_MOST bytes. */
bool login_is_name(const char *name);
/* The login name of a uid. False: no login has that uid, several have it, or the login is not a
 * person's. */
bool login_of_uid(const char *file, uint32_t uid, char out[LOGIN_MOST + 1]);
bool login_of_name(const char *file, const char *name, uint32_t *ret_uid);
/* The gid of a group in a file like /etc/group. False: there is no group of that name, there are
 * several, or it is root's. */
bool login_group(const char *file, const char *name, uint32_t *ret_gid);

#endif
