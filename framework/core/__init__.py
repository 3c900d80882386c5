"""What every room shares: errors, key paths, small helpers over trees and random keys. Imports nothing of ours."""
