/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, logins and tokens of an account. */
#ifndef SEKISHO_ACCOUNTS_DESK_ENROL_H
#define SEKISHO_ACCOUNTS_DESK_ENROL_H

struct account;
struct desk_order;

/* orders of root; the removal of a certificate may also come from an account
 * manager. */
void desk_certificate_add(const struct desk_order *o, struct account *a);
void desk_certificate_remove(const struct desk_order *o, struct account *a);
void desk_login_add(const struct desk_order *o, struct account *a);
void desk_login_remove(const struct desk_order *o, struct account *a);
void desk_tokens(const struct desk_order *o);
void desk_token_add(const struct desk_order *o);
void desk_token_remove(const struct desk_order *o);

#endif
