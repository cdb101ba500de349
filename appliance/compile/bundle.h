/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compile role: one bundle of policy texts in, one sealed generation or diagnostics out, exit. It reads what an
 * operator wrote, so it has no privilege, no files and no network, and it lives for one answer. It decides nothing about
 * the box: what it returns is checked again by whoever unseals it.
 */
#ifndef SEKISHO_COMPILE_BUNDLE_H
#define SEKISHO_COMPILE_BUNDLE_H

#define BUNDLE_MAX (32u << 20) /* bytes of all texts of one policy */

#endif
