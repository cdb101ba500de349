/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of box.cfg that end up in the settings of another program (box/companions.h), where a
 * quote, a blank or a line of their own would be that program's syntax. These forms are checked
 * when the policy is checked, when a sealed generation is read, and before the settings are
 * written: an attacker who controls the compiler can inject no syntax. Pure.
 */
#ifndef SEKISHO_WIRE_PLAIN_H
#define SEKISHO_WIRE_PLAIN_H

#include <stdbool.h>

#define PLAIN_PATH_MAX 200u
#define PLAIN_WORD_MAX 63u
#define PLAIN_SECURITY_NAME_MAX 32u
#define PLAIN_MAILBOX_MAX 254u /* RFC 5321, 4.5.3.1.3, without the brackets */
#define PLAIN_MAILBOXES_MAX 16u

/* The DNS name of a server: labels of letters, digits and '-' (RFC 1123, 2.1), 63 and 253 bytes at
 * most; no address, no wildcard. */
bool plain_server_name(const char *s);
/* A name that another program gives: letters, digits, '.', '_' and '-', 63 at most, the first a
 * letter or digit. */
bool plain_word(const char *s);
/* An SNMP user name: as plain_word, but at most 32 bytes (RFC 3414, 5). */
bool plain_security_name(const char *s);
/* An absolute path of letters, digits, '.', '_' and '-' between slashes, without names that begin
 * with a dot. */
bool plain_path(const char *s);
/* A mailbox, "crane-team@example.jp": a word of letters, digits, '.', '_', '+' and '-', and the DNS
 * name of a domain. */
bool plain_mailbox(const char *s);
/* Mailboxes with one blank between them, at most PLAIN_MAILBOXES_MAX. */
bool plain_mailboxes(const char *s);
/* The next word with an '@' of a text for people ("Gates, ext. 4120, gates@example.jp"), from *at
 * on.
 * False: there is none. A word that is too long for a mailbox is cut, and is none. */
bool plain_mailbox_next(const char **at, char ret[PLAIN_MAILBOX_MAX + 2]);

#endif
