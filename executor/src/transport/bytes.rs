//! Bytes on their way as numbers, which keep their bits.

/// Bytes as numbers: their length, then four to each.
#[must_use]
pub fn packed(bytes: &[u8]) -> Vec<f32> {
    let word = |chunk: &[u8]| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        f32::from_bits(u32::from_le_bytes(word))
    };
    std::iter::once(f32::from_bits(bytes.len() as u32)).chain(bytes.chunks(4).map(word)).collect()
}

/// Bytes that numbers begin with, and how many numbers they take.
#[must_use]
pub fn unpacked(numbers: &[f32]) -> (Vec<u8>, usize) {
    let length = numbers.first().map_or(0, |length| length.to_bits() as usize);
    let words = length.div_ceil(4);
    let mut bytes: Vec<u8> = numbers[1..=words].iter().flat_map(|word| word.to_bits().to_le_bytes()).collect();
    bytes.truncate(length);
    (bytes, 1 + words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_as_numbers() {
        for length in [0, 1, 4, 9] {
            let bytes: Vec<u8> = (0..length).map(|byte| 251 - byte).collect();
            let mut numbers = packed(&bytes);
            let taken = numbers.len();
            numbers.push(7.0);
            assert_eq!(unpacked(&numbers), (bytes, taken));
        }
    }
}
