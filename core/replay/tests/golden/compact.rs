/// JSON without the white space between its tokens.
pub(crate) fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let mut kept = |char: &char| {
        if in_string {
            let ends = *char == '"' && !escaped;
            escaped = *char == '\\' && !escaped;
            in_string = !ends;
            return true;
        }
        in_string = *char == '"';
        !char.is_ascii_whitespace()
    };
    json.chars().filter(|char| kept(char)).collect()
}
