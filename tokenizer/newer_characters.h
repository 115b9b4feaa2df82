/*
 * Made by make_newer_characters.py from tokenizers and utf8proc (15.0.0); not to be edited.
 * Characters of which `tokenizers` has another view than utf8proc, most of them newer than its tables.
 */
static const struct {
    uint32_t first, last;
    unsigned char kind;
    bool inert; /* neither decomposed nor reordered */
} newer_kinds[] = {
    {0x0061d, 0x0061d, DLG_CHARACTER_LETTER, false},      {0x007fd, 0x007fd, DLG_CHARACTER_LETTER, true},
    {0x00890, 0x00891, DLG_CHARACTER_LETTER, false},      {0x00898, 0x0089f, DLG_CHARACTER_LETTER, true},
    {0x008ca, 0x008d3, DLG_CHARACTER_LETTER, true},       {0x008d4, 0x008e2, DLG_CHARACTER_LETTER, false},
    {0x009fd, 0x009fd, DLG_CHARACTER_LETTER, false},      {0x009fe, 0x009fe, DLG_CHARACTER_LETTER, true},
    {0x00a76, 0x00a76, DLG_CHARACTER_LETTER, false},      {0x00afa, 0x00aff, DLG_CHARACTER_LETTER, false},
    {0x00b55, 0x00b55, DLG_CHARACTER_LETTER, false},      {0x00c04, 0x00c04, DLG_CHARACTER_LETTER, false},
    {0x00c3c, 0x00c3c, DLG_CHARACTER_LETTER, true},       {0x00c77, 0x00c77, DLG_CHARACTER_LETTER, false},
    {0x00c84, 0x00c84, DLG_CHARACTER_LETTER, false},      {0x00d00, 0x00d00, DLG_CHARACTER_LETTER, false},
    {0x00d3b, 0x00d3c, DLG_CHARACTER_LETTER, true},       {0x00d81, 0x00d81, DLG_CHARACTER_LETTER, false},
    {0x00eba, 0x00eba, DLG_CHARACTER_LETTER, true},       {0x00ece, 0x00ece, DLG_CHARACTER_LETTER, false},
    {0x0166d, 0x0166d, DLG_CHARACTER_PUNCTUATION, false}, {0x01715, 0x01715, DLG_CHARACTER_LETTER, true},
    {0x01734, 0x01734, DLG_CHARACTER_MARK, false},        {0x0180f, 0x0180f, DLG_CHARACTER_LETTER, false},
    {0x01885, 0x01886, DLG_CHARACTER_LETTER, false},      {0x01abf, 0x01ace, DLG_CHARACTER_LETTER, true},
    {0x01b7d, 0x01b7e, DLG_CHARACTER_LETTER, false},      {0x01df6, 0x01dfa, DLG_CHARACTER_LETTER, true},
    {0x01dfb, 0x01dfb, DLG_CHARACTER_LETTER, false},      {0x02e43, 0x02e4f, DLG_CHARACTER_LETTER, false},
    {0x02e52, 0x02e5d, DLG_CHARACTER_LETTER, false},      {0x0a82c, 0x0a82c, DLG_CHARACTER_LETTER, true},
    {0x0a8c5, 0x0a8c5, DLG_CHARACTER_LETTER, false},      {0x0a8ff, 0x0a8ff, DLG_CHARACTER_LETTER, false},
    {0x0a9bd, 0x0a9bd, DLG_CHARACTER_LETTER, false},      {0x10d24, 0x10d27, DLG_CHARACTER_LETTER, true},
    {0x10eab, 0x10eac, DLG_CHARACTER_LETTER, true},       {0x10ead, 0x10ead, DLG_CHARACTER_LETTER, false},
    {0x10efd, 0x10eff, DLG_CHARACTER_LETTER, true},       {0x10f46, 0x10f50, DLG_CHARACTER_LETTER, true},
    {0x10f55, 0x10f59, DLG_CHARACTER_LETTER, false},      {0x10f82, 0x10f85, DLG_CHARACTER_LETTER, true},
    {0x10f86, 0x10f89, DLG_CHARACTER_LETTER, false},      {0x11070, 0x11070, DLG_CHARACTER_LETTER, true},
    {0x11073, 0x11074, DLG_CHARACTER_LETTER, false},      {0x110c2, 0x110c2, DLG_CHARACTER_LETTER, false},
    {0x110cd, 0x110cd, DLG_CHARACTER_LETTER, false},      {0x111c9, 0x111c9, DLG_CHARACTER_PUNCTUATION, false},
    {0x111cf, 0x111cf, DLG_CHARACTER_LETTER, false},      {0x1123e, 0x1123e, DLG_CHARACTER_LETTER, false},
    {0x11241, 0x11241, DLG_CHARACTER_LETTER, false},      {0x1133b, 0x1133b, DLG_CHARACTER_LETTER, true},
    {0x11438, 0x1143f, DLG_CHARACTER_LETTER, false},      {0x11442, 0x11444, DLG_CHARACTER_LETTER, false},
    {0x11446, 0x11446, DLG_CHARACTER_LETTER, false},      {0x1144b, 0x1144f, DLG_CHARACTER_LETTER, false},
    {0x1145a, 0x1145b, DLG_CHARACTER_LETTER, false},      {0x1145d, 0x1145d, DLG_CHARACTER_LETTER, false},
    {0x1145e, 0x1145e, DLG_CHARACTER_LETTER, true},       {0x11660, 0x1166c, DLG_CHARACTER_LETTER, false},
    {0x116b9, 0x116b9, DLG_CHARACTER_LETTER, false},      {0x1182f, 0x11837, DLG_CHARACTER_LETTER, false},
    {0x11839, 0x1183a, DLG_CHARACTER_LETTER, true},       {0x1183b, 0x1183b, DLG_CHARACTER_LETTER, false},
    {0x11938, 0x11938, DLG_CHARACTER_LETTER, true},       {0x1193b, 0x1193c, DLG_CHARACTER_LETTER, false},
    {0x1193d, 0x1193e, DLG_CHARACTER_LETTER, true},       {0x11943, 0x11943, DLG_CHARACTER_LETTER, true},
    {0x11944, 0x11946, DLG_CHARACTER_LETTER, false},      {0x119d4, 0x119d7, DLG_CHARACTER_LETTER, false},
    {0x119da, 0x119db, DLG_CHARACTER_LETTER, false},      {0x119e0, 0x119e0, DLG_CHARACTER_LETTER, true},
    {0x119e2, 0x119e2, DLG_CHARACTER_LETTER, false},      {0x11a01, 0x11a0a, DLG_CHARACTER_LETTER, false},
    {0x11a33, 0x11a33, DLG_CHARACTER_LETTER, false},      {0x11a34, 0x11a34, DLG_CHARACTER_LETTER, true},
    {0x11a35, 0x11a38, DLG_CHARACTER_LETTER, false},      {0x11a3b, 0x11a46, DLG_CHARACTER_LETTER, false},
    {0x11a47, 0x11a47, DLG_CHARACTER_LETTER, true},       {0x11a51, 0x11a56, DLG_CHARACTER_LETTER, false},
    {0x11a59, 0x11a5b, DLG_CHARACTER_LETTER, false},      {0x11a8a, 0x11a96, DLG_CHARACTER_LETTER, false},
    {0x11a98, 0x11a98, DLG_CHARACTER_LETTER, false},      {0x11a99, 0x11a99, DLG_CHARACTER_LETTER, true},
    {0x11a9a, 0x11a9c, DLG_CHARACTER_LETTER, false},      {0x11a9e, 0x11aa2, DLG_CHARACTER_LETTER, false},
    {0x11b00, 0x11b09, DLG_CHARACTER_LETTER, false},      {0x11c30, 0x11c36, DLG_CHARACTER_LETTER, false},
    {0x11c38, 0x11c3d, DLG_CHARACTER_LETTER, false},      {0x11c3f, 0x11c3f, DLG_CHARACTER_LETTER, false},
    {0x11c41, 0x11c45, DLG_CHARACTER_LETTER, false},      {0x11c70, 0x11c71, DLG_CHARACTER_LETTER, false},
    {0x11c92, 0x11ca7, DLG_CHARACTER_LETTER, false},      {0x11caa, 0x11cb0, DLG_CHARACTER_LETTER, false},
    {0x11cb2, 0x11cb3, DLG_CHARACTER_LETTER, false},      {0x11cb5, 0x11cb6, DLG_CHARACTER_LETTER, false},
    {0x11d31, 0x11d36, DLG_CHARACTER_LETTER, false},      {0x11d3a, 0x11d3a, DLG_CHARACTER_LETTER, false},
    {0x11d3c, 0x11d3d, DLG_CHARACTER_LETTER, false},      {0x11d3f, 0x11d41, DLG_CHARACTER_LETTER, false},
    {0x11d42, 0x11d42, DLG_CHARACTER_LETTER, true},       {0x11d43, 0x11d43, DLG_CHARACTER_LETTER, false},
    {0x11d44, 0x11d45, DLG_CHARACTER_LETTER, true},       {0x11d47, 0x11d47, DLG_CHARACTER_LETTER, false},
    {0x11d90, 0x11d91, DLG_CHARACTER_LETTER, false},      {0x11d95, 0x11d95, DLG_CHARACTER_LETTER, false},
    {0x11d97, 0x11d97, DLG_CHARACTER_LETTER, true},       {0x11ef3, 0x11ef4, DLG_CHARACTER_LETTER, false},
    {0x11ef7, 0x11ef8, DLG_CHARACTER_LETTER, false},      {0x11f00, 0x11f01, DLG_CHARACTER_LETTER, false},
    {0x11f36, 0x11f3a, DLG_CHARACTER_LETTER, false},      {0x11f40, 0x11f40, DLG_CHARACTER_LETTER, false},
    {0x11f41, 0x11f42, DLG_CHARACTER_LETTER, true},       {0x11f43, 0x11f4f, DLG_CHARACTER_LETTER, false},
    {0x11fff, 0x11fff, DLG_CHARACTER_LETTER, false},      {0x12ff1, 0x12ff2, DLG_CHARACTER_LETTER, false},
    {0x13430, 0x13440, DLG_CHARACTER_LETTER, false},      {0x13447, 0x13455, DLG_CHARACTER_LETTER, false},
    {0x16e97, 0x16e9a, DLG_CHARACTER_LETTER, false},      {0x16f4f, 0x16f4f, DLG_CHARACTER_LETTER, false},
    {0x16fe2, 0x16fe2, DLG_CHARACTER_LETTER, false},      {0x16fe4, 0x16fe4, DLG_CHARACTER_LETTER, false},
    {0x16ff0, 0x16ff1, DLG_CHARACTER_LETTER, true},       {0x1cf00, 0x1cf2d, DLG_CHARACTER_LETTER, false},
    {0x1cf30, 0x1cf46, DLG_CHARACTER_LETTER, false},      {0x1e000, 0x1e006, DLG_CHARACTER_LETTER, false},
    {0x1e008, 0x1e018, DLG_CHARACTER_LETTER, false},      {0x1e01b, 0x1e021, DLG_CHARACTER_LETTER, false},
    {0x1e023, 0x1e024, DLG_CHARACTER_LETTER, false},      {0x1e026, 0x1e02a, DLG_CHARACTER_LETTER, false},
    {0x1e08f, 0x1e08f, DLG_CHARACTER_LETTER, true},       {0x1e130, 0x1e136, DLG_CHARACTER_LETTER, true},
    {0x1e2ae, 0x1e2ae, DLG_CHARACTER_LETTER, true},       {0x1e2ec, 0x1e2ef, DLG_CHARACTER_LETTER, true},
    {0x1e4ec, 0x1e4ef, DLG_CHARACTER_LETTER, true},       {0x1e944, 0x1e94a, DLG_CHARACTER_LETTER, false},
    {0x1e95e, 0x1e95f, DLG_CHARACTER_LETTER, false},
};

/* Capital letters that utf8proc has no lower case for, and how far away it is. */
static const struct {
    uint32_t first, last;
    int32_t distance;
} newer_capitals[] = {
    {0x01c89, 0x01c89, 1},  {0x0a7cb, 0x0a7cb, -42343}, {0x0a7cc, 0x0a7cc, 1}, {0x0a7ce, 0x0a7ce, 1},
    {0x0a7d2, 0x0a7d2, 1},  {0x0a7d4, 0x0a7d4, 1},      {0x0a7da, 0x0a7da, 1}, {0x0a7dc, 0x0a7dc, -42561},
    {0x10d50, 0x10d65, 32}, {0x16ea0, 0x16eb8, 27},
};
