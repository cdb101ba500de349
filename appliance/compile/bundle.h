/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compile role: one bundle of policy texts in, one sealed generation or diagnostics out, exit.
 * It reads an operator's text, so it has no privilege, no files and no network, and ends after one
 * answer. It decides nothing about the box: its result is checked again when it is unsealed.
 */
#ifndef SEKISHO_COMPILE_BUNDLE_H
#define SEKISHO_COMPILE_BUNDLE_H

#define BUNDLE_MAX (32u << 20) /* bytes of all texts of one policy */

#endif
